/**
 * A peer as a process, which reads a request and writes a response as one JSON object a line (bench/peers/README.md lists the
 * requests).
 *
 * Responses come in the order of the requests. The process ends with `close()`, or when this process ends and closes its stdin.
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
  keras: { environment: 'tfrs', script: 'keras_peer.py' },
  scann: { environment: 'scann', script: 'scann_peer.py' },
  'scann-core': { environment: 'scann-core', script: 'scann_peer.py' },
  faiss: { environment: 'ann', script: 'faiss_peer.py' },
  hnswlib: { environment: 'ann', script: 'hnswlib_peer.py' },
  implicit: { environment: 'implicit', script: 'implicit_peer.py' },
  datasets: { environment: 'ann', script: 'datasets.py' },
  descriptors: { environment: 'photographs', script: 'descriptors.py' },
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

// The folder of the scripts, seen from bench/build/harness, where this file is compiled to.
const SCRIPTS = fileURLToPath(new URL('../../peers/', import.meta.url));
const HOME = process.env.PEERS_HOME ?? join(homedir(), '.cache/shortlist-peers');
// Longer than the slowest request, TFRS's exact evaluation over 1.68 million candidates, which takes minutes.
const TIMEOUT_MS = 30 * 60_000;

export class Peer {
  readonly name: PeerName;
  readonly #process: ChildProcessByStdio<Writable, Readable, null>;
  readonly #waiting: Waiting[] = [];
  readonly #exit: Promise<void>;
  #ended = false;

  /** Starts a peer; null, with the reason on stderr, if it is not installed. */
  static start(name: PeerName, environment: Readonly<Record<string, string>> = {}): Peer | null {
    const reason = missing(name);
    if (reason === null) return new Peer(name, environment);
    console.error(`${name}: ${reason}`);
    return null;
  }

  private constructor(name: PeerName, environment: Readonly<Record<string, string>>) {
    const { script } = PEERS[name];
    this.name = name;
    this.#process = spawn(programOf(name), [join(SCRIPTS, script), name], {
      stdio: ['pipe', 'pipe', process.env.PEERS_VERBOSE === undefined ? 'ignore' : 'inherit'],
      // Waiting threads must not spin, because the other side is measured while the peer waits.
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

  /** Sends `{do: …}` and waits for the response. Rejects with the error of the peer, when the peer ends, or after the time-out. */
  request(
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

  /** Sends a request and returns one number of the response. */
  async requestNumber(
    request: { readonly do: string; readonly [field: string]: unknown },
    field: string,
  ): Promise<number> {
    return numberOf(await this.request(request), field);
  }

  close(): Promise<void> {
    this.#process.stdin.end();
    return this.#exit;
  }

  #receive(line: string): void {
    this.#waiting.shift()?.resolve(JSON.parse(line) as Reply);
  }
}

/** The reason why a peer cannot start, or null if it can. */
export function missing(name: PeerName): string | null {
  const { environment } = PEERS[name];
  const installed = existsSync(join(HOME, environment, 'installed'));
  return installed ? null : `not installed (bench/peers/setup.sh ${environment})`;
}

/** A number in a response. @throws {Error} when the field is not a number */
export function numberOf(reply: Reply, field: string): number {
  const value = reply[field];
  if (typeof value !== 'number') throw new Error(`${field}: expected a number, got ${JSON.stringify(value)}`);
  return value;
}

/** The program that runs the script of a peer. */
export function programOf(name: PeerName): string {
  const { environment } = PEERS[name];
  if (environment === 'node24') return join(HOME, environment, 'node_modules/.bin/node');
  return environment === 'node-ann' ? process.execPath : join(HOME, environment, 'bin/python');
}
