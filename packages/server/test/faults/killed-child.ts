/** A server in a process of its own that a test can kill: prints its port, then serves. */
import { startTiny } from '../fixtures/tiny-bundle.ts';

const [basePath] = process.argv.slice(2);
const server = await startTiny(basePath!, { fsync: { everyMs: 5 } });
process.stdout.write(`${server.httpPort}\n`);
