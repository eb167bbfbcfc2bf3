/** The entry point of a worker thread. */
import { serveStart } from './worker-start.ts';

serveStart();
