/**
 * A server in a process of its own whose every query takes a set CPU time: what it can do is known. It sends its port, and
 * its CPU time in milliseconds whenever it is asked for it.
 */
import { startTiny, tinyBasePath } from '../fixtures/tiny-bundle.ts';
import { CPU_CLOCK } from './overload.ts';

const [queryMs] = process.argv.slice(2).map(Number);
const server = await startTiny(await tinyBasePath(), { queue: { queued: 64 } });
const { servable } = server.registry.choose('films', {});
const search = servable.search.bind(servable);
servable.search = (queries) => {
  for (const end = CPU_CLOCK.now() + queryMs! * queries.length; CPU_CLOCK.now() < end; );
  return search(queries);
};
process.on('message', () => process.send!(CPU_CLOCK.now()));
process.send!(server.httpPort);
