/**
 * A peer as a process that answers one JSON object a line (bench/peers/README.md lists what each understands).
 *
 * Requests are answered in order. The process ends with `close()`, or when this one does, since its stdin ends then.
 */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';

const PEERS = {
  tfrs: { environment: 'tfrs', script: 'tfrs_peer.py' },
  scann: { environment: 'scann', script: 'scann_peer.py' },
  'scann-core': { environment: 'scann-core', script: 'scann_peer.py' },
  faiss: { environment: 'ann', script: 'faiss_peer.py' },
  hnswlib: { environment: 'ann', script: 'hnswlib_peer.py' },
  implicit: { environment: 'implicit', script: 'implicit_peer.py' },
  datasets: { environment: 'ann', script: 'datasets.py' },
  'hnswlib-node': { environment: 'node-ann', script: 'node-ann.mjs' },
  usearch: { environment: 'node-ann', script: 'node-ann.mjs' },
  'shortlist-node24': { environment: 'node24', script: 'node-ann.mjs' },
} as const;

export type PeerName = keyof typeof PEERS;
export type Reply = Readonly<Record<string, unknown>>;

interface Waiting {
  resolve(reply: Reply): void;
  reject(error: Error): void;
}

// What the scripts of this file's folder are seen from: bench/build/harness.
const SCRIPTS = fileURLToPath(new URL('../../peers/', import.meta.url));
const HOME = process.env.PEERS_HOME ?? join(homedir(), '.cache/shortlist-peers');
// The slowest command, TFRS's exact evaluation over 1.68 million candidates, takes minutes.
const TIMEOUT_MS = 30 * 60_000;

export class Peer {
  readonly name: PeerName;
  readonly #process: ChildProcessByStdio<Writable, Readable, null>;
  readonly #waiting: Waiting[] = [];
  readonly #exit: Promise<void>;
  #ended = false;

  /** Starts a peer; null, with the reason on stderr, where it is not installed. */
  static start(name: PeerName, environment: Readonly<Record<string, string>> = {}): Peer | null {
    const reason = missing(name);
    if (reason === null) return new Peer(name, environment);
    console.error(`${name}: ${reason}`);
    return null;
  }

  private constructor(name: PeerName, environment: Readonly<Record<string, string>>) {
    const { script } = PEERS[name];
    this.name = name;
    this.#process = spawn(program(name), [join(SCRIPTS, script), name], {
      stdio: ['pipe', 'pipe', process.env.PEERS_VERBOSE === undefined ? 'ignore' : 'inherit'],
      // A thread that waits must not spin: while the peer waits for a request, the other side is being measured.
      env: { ...process.env, PEERS_HOME: HOME, OMP_WAIT_POLICY: 'PASSIVE', TF_CPP_MIN_LOG_LEVEL: '3', ...environment },
    });
    this.#process.stdin.on('error', () => {});
    createInterface({ input: this.#process.stdout }).on('line', (line) => this.#receive(line));
    this.#exit = new Promise((resolve) => {
      const end = (how: string): void => {
        this.#ended = true;
        for (const waiting of this.#waiting.splice(0)) waiting.reject(new Error(`${name}: the peer ${how}`));
        resolve();
      };
      this.#process.once('error', (error) => end(`did not start: ${error.message}`));
      this.#process.once('close', (code, signal) => end(`ended with ${signal ?? code}`));
    });
  }

  /** Sends `{do: …}` and waits for its reply; rejects with the peer's error, its end, or after the time-out. */
  ask(
    request: { readonly do: string; readonly [field: string]: unknown },
    timeoutMs: number = TIMEOUT_MS,
  ): Promise<Reply> {
    if (this.#ended) return Promise.reject(new Error(`${this.name}: the peer has ended`));
    return new Promise<Reply>((resolve, reject) => {
      const timer = setTimeout(() => {
        reject(new Error(`${this.name}: no reply to ${request.do} within ${timeoutMs / 1000} s`));
        this.#process.kill('SIGKILL');
      }, timeoutMs);
      this.#waiting.push({
        resolve: (reply) => {
          clearTimeout(timer);
          if (typeof reply.error === 'string') reject(new Error(`${this.name}: ${reply.error}`));
          else resolve(reply);
        },
        reject: (error) => {
          clearTimeout(timer);
          reject(error);
        },
      });
      this.#process.stdin.write(`${JSON.stringify(request)}\n`);
    });
  }

  /** As `ask`, for one number of the reply. */
  async figure(request: { readonly do: string; readonly [field: string]: unknown }, field: string): Promise<number> {
    return figureOf(await this.ask(request), field);
  }

  close(): Promise<void> {
    this.#process.stdin.end();
    return this.#exit;
  }

  #receive(line: string): void {
    this.#waiting.shift()?.resolve(JSON.parse(line) as Reply);
  }
}

/** Why a peer cannot start, or null. */
export function missing(name: PeerName): string | null {
  const { environment } = PEERS[name];
  const installed = existsSync(join(HOME, environment, 'installed'));
  return installed ? null : `not installed (bench/peers/setup.sh ${environment})`;
}

/** One number of a reply; throws where the field is none. */
export function figureOf(reply: Reply, field: string): number {
  const value = reply[field];
  if (typeof value !== 'number') throw new Error(`${field}: expected a number, got ${JSON.stringify(value)}`);
  return value;
}

function program(name: PeerName): string {
  const { environment } = PEERS[name];
  if (environment === 'node24') return join(HOME, environment, 'node_modules/.bin/node');
  return environment === 'node-ann' ? process.execPath : join(HOME, environment, 'bin/python');
}
