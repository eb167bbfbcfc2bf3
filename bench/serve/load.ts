/**
 * A load generator for the loopback interface: one process with plain sockets, HTTP/1.1 with keep-alive, and one request at a
 * time on each connection.
 *
 * In a closed loop (`rate` 0), each connection sends the next request after the response. In an open loop, requests are due at
 * a fixed rate and latency is measured from the due time, so that delays of the server are counted. Duration and number of
 * connections are limited. `startLoad` starts the process, and exchanges the plan and the result with it as messages.
 */
import { connect, type Socket } from 'node:net';

/** The requests to send. */
export interface LoadPlan {
  port: number;
  path: string;
  /** Bodies, which are sent in turn. */
  bodies: readonly string[];
  connections: number;
  durationMs: number;
  /** Requests a second of all connections; 0 for a closed loop. */
  rate: number;
}

/** The responses and their times. */
export interface LoadResult {
  answered: number;
  failed: number;
  seconds: number;
  /** Latencies in milliseconds, ascending. */
  latenciesMs: number[];
}

/** The most connections; with more, the generator itself would be measured. */
const CONNECTIONS_MAX = 256;
const DURATION_MAX_MS = 15 * 60_000;

class Connection {
  readonly #socket: Socket;
  readonly #answered: (ok: boolean) => void;
  #received: Buffer = Buffer.alloc(0);

  constructor(port: number, answered: (ok: boolean) => void, opened: () => void) {
    this.#answered = answered;
    this.#socket = connect({ port, host: '127.0.0.1', noDelay: true }, opened);
    this.#socket.on('data', (chunk: Buffer) => this.#take(chunk));
    this.#socket.on('error', () => answered(false));
  }

  send(request: Buffer): void {
    this.#socket.write(request);
  }

  end(): void {
    this.#socket.destroy();
  }

  #take(chunk: Buffer): void {
    const bytes = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
    const headEnd = bytes.indexOf('\r\n\r\n');
    const length = headEnd < 0 ? undefined : /content-length: (\d+)/i.exec(bytes.toString('latin1', 0, headEnd))?.[1];
    if (length === undefined || bytes.length < headEnd + 4 + Number(length)) {
      this.#received = bytes;
      return;
    }
    this.#received = Buffer.alloc(0);
    this.#answered(bytes.toString('latin1', 9, 12) === '200');
  }
}

/** Send the requests of a plan. */
export async function load({ port, path, bodies, connections, durationMs, rate }: LoadPlan): Promise<LoadResult> {
  if (connections > CONNECTIONS_MAX || durationMs > DURATION_MAX_MS) throw new Error('load: the plan is out of bounds');
  const requests = bodies.map((body) =>
    Buffer.from(
      `POST ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n` +
        `content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
    ),
  );
  const latenciesMs: number[] = [];
  let failed = 0;
  let next = 0;
  const idle: Connection[] = [];
  const due: number[] = [];
  let stop = false;
  const send = (connection: Connection, since: number): void => {
    begun.set(connection, since);
    connection.send(requests[next++ % requests.length]!);
  };
  const begun = new Map<Connection, number>();
  const all: Connection[] = [];
  await Promise.all(
    Array.from(
      { length: connections },
      () =>
        new Promise<void>((opened) => {
          const connection: Connection = new Connection(
            port,
            (ok) => {
              const now = performance.now();
              latenciesMs.push(now - begun.get(connection)!);
              if (!ok) failed++;
              if (stop) return;
              if (rate === 0) send(connection, now);
              else if (due.length > 0) send(connection, due.shift()!);
              else idle.push(connection);
            },
            opened,
          );
          all.push(connection);
        }),
    ),
  );
  const started = performance.now();
  if (rate === 0) for (const connection of all) send(connection, started);
  else {
    idle.push(...all);
    await pace(started, durationMs, rate, (at) => {
      // Connections are used in turn, because the server closes a connection without requests.
      const connection = idle.shift();
      if (connection) send(connection, at);
      else due.push(at);
    });
  }
  await new Promise((resolve) => setTimeout(resolve, Math.max(0, started + durationMs - performance.now())));
  stop = true;
  const seconds = (performance.now() - started) / 1000;
  for (const connection of all) connection.end();
  latenciesMs.sort((a, b) => a - b);
  return { answered: latenciesMs.length - failed, failed, seconds, latenciesMs };
}

/** Call `send` whenever a request is due. */
function pace(started: number, durationMs: number, rate: number, send: (at: number) => void): Promise<void> {
  return new Promise((resolve) => {
    let sent = 0;
    const tick = (): void => {
      const now = performance.now();
      for (; started + (sent * 1000) / rate <= now; sent++) send(started + (sent * 1000) / rate);
      if (now - started >= durationMs) resolve();
      // The generator sleeps between requests, because a busy loop would take a core from the server. A late timer counts
      // as latency.
      else setTimeout(tick, 1);
    };
    tick();
  });
}

if (process.send) {
  process.once('message', (plan: LoadPlan) => {
    load(plan).then((result) => process.send!(result, () => process.exit(0)));
  });
}
