/** A server in a process of its own that stops on signals. Prints its port. */
import { closeOnSignals } from '../../src/index.ts';
import { startTiny, tinyBasePath } from '../fixtures/tiny-bundle.ts';

const server = await startTiny(await tinyBasePath());
closeOnSignals(server);
process.stdout.write(`${server.httpPort}\n`);
