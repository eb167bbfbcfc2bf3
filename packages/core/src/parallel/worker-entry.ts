/** The entry point of a worker thread, in Node and in a browser: it receives one message and then runs jobs. */
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
