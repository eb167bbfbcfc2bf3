/**
 * Starts worker threads: those of Node, or Web Workers in a browser.
 *
 * The worker's program is a string (worker-program.generated.ts), so it needs no file at run time and bundlers need no
 * setting for it. A browser shares memory with its workers only under cross-origin isolation (the headers COOP and
 * COEP); without it, and where a content security policy forbids `worker-src blob:`, everything runs on the caller.
 */
import type { WorkerStart } from './worker.ts';

/**
 * The methods of a thread that the pool uses. A browser's thread has none of them, because a worker does not keep a
 * page open.
 */
export interface Thread {
  /** Keep the process alive. */
  ref?(): void;
  unref?(): void;
}

interface NodeThread extends Thread {
  on(event: 'error', listener: (error: Error) => void): void;
}

type NodeWorker = new (program: string, options: object) => NodeThread;

/**
 * Node's class of worker threads; undefined elsewhere. It is looked up at run time, so that bundlers do not resolve the
 * module.
 */
function nodeWorker(): NodeWorker | undefined {
  const { process } = globalThis as { process?: { getBuiltinModule?: (name: string) => unknown } };
  const threads = process?.getBuiltinModule?.('node:worker_threads') as { Worker: NodeWorker } | undefined;
  return threads?.Worker;
}

/** True where a thread can be started and can share a memory. */
export function hasThreads(): boolean {
  if (nodeWorker()) return true;
  const { Worker: WebWorker, crossOriginIsolated: isIsolated } = globalThis as {
    Worker?: unknown;
    crossOriginIsolated?: boolean;
  };
  return typeof WebWorker === 'function' && isIsolated === true;
}

/** Start a thread that runs a program. If it fails, a warning is written and the other threads do its work. */
export function startThread(start: WorkerStart, program: string): Thread {
  const NodeWorker = nodeWorker();
  if (NodeWorker) {
    // The flags of the caller's program are not passed on: with --input-type, for example, no worker would start.
    const thread = new NodeWorker(program, { eval: true, workerData: start, execArgv: [] });
    thread.on('error', ({ message }) => sayFailed(message));
    thread.unref?.();
    return thread;
  }
  const url = URL.createObjectURL(new Blob([program], { type: 'text/javascript' }));
  const worker = new Worker(url);
  worker.onerror = ({ message }): void => sayFailed(message || 'the browser refused it');
  worker.postMessage(start);
  return {};
}

function sayFailed(reason: string): void {
  console.warn(`shortlist: a worker thread ended (${reason}); the work is done without it`);
}
