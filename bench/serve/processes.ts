/** Starts the server and the load generator as separate processes, so that they have separate event loops. */
import { type ChildProcess, fork, spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { LoadPlan, LoadResult } from './load.ts';

const LOAD = fileURLToPath(new URL('./load.js', import.meta.url));
const EMPTY = fileURLToPath(new URL('./empty.js', import.meta.url));
const CLI = fileURLToPath(new URL('../../../packages/cli/build/src/bin.js', import.meta.url));

/** A server process. */
export interface Listening {
  port: number;
  /** The time from its start until it serves. */
  startedMs: number;
  /** The present resident memory of the process and its child processes, in bytes. */
  residentBytes(): number;
  stop(): Promise<void>;
}

/** `shortlist serve` on a folder of versions. */
export function startServer(basePath: string, ...options: string[]): Promise<Listening> {
  return start([
    CLI,
    'serve',
    `movies=${basePath}`,
    '--http-port',
    '0',
    '--grpc-port',
    'none',
    '--log-level',
    'error',
    ...options,
  ]);
}

/** The minimal server of `empty.ts`, which shows the cost of HTTP and JSON alone. */
export function startEmpty(...options: string[]): Promise<Listening> {
  return start([EMPTY, ...options]);
}

function start(argv: readonly string[]): Promise<Listening> {
  const started = performance.now();
  const child = spawn(process.execPath, argv, { stdio: ['ignore', 'pipe', 'inherit'] });
  return new Promise((resolve, reject) => {
    let output = '';
    child.stdout.on('data', (chunk) => {
      output += chunk;
      const port = /^(?:Serving HTTP|Listening) on port (\d+)/m.exec(output)?.[1];
      if (port) resolve(listening(child, Number(port), performance.now() - started));
    });
    child.once('exit', (code) => reject(new Error(`${argv[0]} ended with ${code}: ${output}`)));
  });
}

function listening(child: ChildProcess, port: number, startedMs: number): Listening {
  return {
    port,
    startedMs,
    residentBytes: () => residentBytes(child.pid!),
    stop: () =>
      new Promise((resolve) => {
        child.once('exit', () => resolve());
        child.kill('SIGTERM');
      }),
  };
}

function residentBytes(pid: number): number {
  const own = Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) * 1024;
  // /proc lists the child processes of each thread.
  const children = readdirSync(`/proc/${pid}/task`).flatMap((thread) =>
    readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').split(' ').filter(Boolean),
  );
  return children.reduce((sum, child) => sum + residentBytes(Number(child)), own);
}

/** Run a load plan. */
export function runLoad(plan: LoadPlan): Promise<LoadResult> {
  const child = fork(LOAD);
  return new Promise((resolve, reject) => {
    child.once('message', (result) => resolve(result as LoadResult));
    child.once('error', reject);
    child.send(plan);
  });
}
