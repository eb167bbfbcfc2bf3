/**
 * Twice as many requests as a server answers, over real connections. Answers are counted per second of the server's CPU
 * time, which other processes of the machine do not change, and what they are held against, capacity, is what a closed
 * loop gets through just before. A query takes the server a set CPU time. Limit: a server that is idle while its queue is
 * full is not noticed.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { fileURLToPath } from 'node:url';

const CHILD = fileURLToPath(new URL('./overload-child.js', import.meta.url));
/** CPU time of a query: long against what a refusal costs, so that capacity is the queries' alone. */
const ASK_MS = 8;
/** After this long without an answer a request hangs: many times what a full queue takes. */
const HUNG_MS = 60_000;
/** The requests sent before the first answer: three times what the queue of the server holds. */
const AHEAD = 192;
const BODY = '{"query": "u1", "k": 3}';

/** The outcome of the requests. */
export interface OverloadFigures {
  /** Answers per second of the server's CPU time, under overload and in a closed loop before. */
  goodput: number;
  capacity: number;
  /** The number of responses with each status; 0 stands for a failed connection. */
  statuses: Map<number, number>;
  hung: number;
}

/** Overload a server for `durationMs`, and on a machine that is busy until it has answered something. */
export async function overloadSockets(durationMs: number): Promise<OverloadFigures> {
  const child = fork(CHILD, [String(ASK_MS)]);
  const [port] = (await once(child, 'message')) as [number];
  const cpuMs = async (): Promise<number> => {
    child.send('CPU time');
    const [ms] = (await once(child, 'message')) as [number];
    return ms;
  };
  const agent = new Agent({ keepAlive: true });
  const statuses = new Map<number, number>();
  let hung = 0;
  const send = (): Promise<number> =>
    new Promise((resolve) => {
      const sent = request(
        {
          port,
          path: '/v1/shortlist',
          method: 'POST',
          agent,
          timeout: HUNG_MS,
          headers: { 'content-type': 'application/json', 'content-length': BODY.length },
        },
        (response) => response.resume().on('end', () => resolve(response.statusCode!)),
      );
      sent.on('timeout', () => {
        hung++;
        sent.destroy();
      });
      sent.on('error', () => resolve(0));
      sent.end(BODY);
    });
  const closedLoop = async (untilTime: number): Promise<number> => {
    let answered = 0;
    for (; performance.now() < untilTime; answered++) await send();
    return answered;
  };
  try {
    await closedLoop(performance.now() + durationMs / 8);
    const begunMs = await cpuMs();
    const begun = performance.now();
    const sent = await Promise.all(Array.from({ length: 8 }, () => closedLoop(begun + durationMs / 4)));
    const startedMs = await cpuMs();
    const capacity = (sent.reduce((sum, count) => sum + count) / (startedMs - begunMs)) * 1000;

    const all: Promise<void>[] = [];
    let answered = 0;
    for (const end = performance.now() + durationMs; performance.now() < end || answered === 0; ) {
      while (all.length < 2 * answered + AHEAD) {
        const sent = send().then((status) => {
          statuses.set(status, (statuses.get(status) ?? 0) + 1);
          if (status === 200) answered++;
        });
        all.push(sent);
      }
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    const goodput = (answered / ((await cpuMs()) - startedMs)) * 1000;
    await Promise.all(all);
    return { goodput, capacity, statuses, hung };
  } finally {
    agent.destroy();
    child.kill('SIGKILL');
  }
}
