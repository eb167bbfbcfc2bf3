/** The start of a worker thread, in Node and in a browser: it receives one message and then runs jobs. */
import { type SegmentedProgram, serve, type WorkerStart } from './worker.ts';

/** Receive the message and serve. @param segmented the search over several memories, where the program has it */
export function serveStart(segmented?: SegmentedProgram): void {
  const { process } = globalThis as { process?: { getBuiltinModule?: (name: string) => unknown } };
  const threads = process?.getBuiltinModule?.('node:worker_threads') as { workerData: unknown } | undefined;
  if (threads) serve(threads.workerData as WorkerStart, segmented);
  else {
    globalThis.onmessage = ({ data }: MessageEvent<WorkerStart>): void => {
      serve(data, segmented);
      globalThis.close();
    };
  }
}
