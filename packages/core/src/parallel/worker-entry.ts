/** The program a worker thread starts with: it takes what it is sent once, and serves. In Node and in a browser. */
import { serve, type WorkerStart } from './worker.ts';

const { process } = globalThis as { process?: { getBuiltinModule?: (name: string) => unknown } };
const threads = process?.getBuiltinModule?.('node:worker_threads') as { workerData: unknown } | undefined;
if (threads) serve(threads.workerData as WorkerStart);
else {
  globalThis.onmessage = ({ data }: MessageEvent<WorkerStart>): void => {
    serve(data);
    globalThis.close();
  };
}
