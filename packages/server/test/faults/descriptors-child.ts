/** A server in a process of its own. Prints its port, then its warnings and errors, a line each. */
import { pino } from 'pino';
import { closeOnSignals } from '../../src/index.ts';
import { startTiny, tinyBasePath } from '../fixtures/tiny-bundle.ts';

const server = await startTiny(await tinyBasePath(), { logger: pino({ level: 'warn' }) });
closeOnSignals(server);
process.stdout.write(`${server.httpPort}\n`);
