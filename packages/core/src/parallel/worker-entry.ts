/** The file a Node worker thread starts with. */
import { workerData } from 'node:worker_threads';
import { serve, type WorkerStart } from './worker.ts';

serve(workerData as WorkerStart);
