/** A server of two processes that a test can kill: prints the number of its replica, then serves. */
import { startWatched } from './watched.ts';

const { started } = await startWatched(process.argv[2]!);
process.stdout.write(`${started()[0]}\n`);
