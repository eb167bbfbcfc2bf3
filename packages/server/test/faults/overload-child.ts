/** A server in a process of its own whose every query takes a set time: what it can do is known. Prints its port. */
import { startTiny, tinyBasePath } from '../fixtures/tiny-bundle.ts';

const [queryMs] = process.argv.slice(2).map(Number);
const server = await startTiny(await tinyBasePath(), { queue: { queued: 64 } });
const { servable } = server.registry.choose('films', {});
const search = servable.search.bind(servable);
servable.search = (queries) => {
  for (const end = performance.now() + queryMs! * queries.length; performance.now() < end; );
  return search(queries);
};
process.stdout.write(`${server.httpPort}\n`);
