/** A server in a process of its own whose every query takes a set time: what it can do is known. Prints its port. */
import { startTiny, tinyBasePath } from '../fixtures/tiny-bundle.ts';

const [askMs] = process.argv.slice(2).map(Number);
const server = await startTiny(await tinyBasePath(), { queue: { queued: 64 } });
const { servable } = server.registry.choose('films', {});
const answer = servable.answer.bind(servable);
servable.answer = (asks) => {
  for (const end = performance.now() + askMs! * asks.length; performance.now() < end; );
  return answer(asks);
};
process.stdout.write(`${server.httpPort}\n`);
