/**
 * Random events, changes of candidates, compactions, rebalances and restarts of a server, checked after each step against a
 * plain model: what each user has seen, and which candidates there are.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { FILMS, post, startTiny, tinyBasePath } from '../fixtures/tiny-bundle.ts';
import { isThorough } from '../thorough.ts';

const SEED = Number(process.env.SHORTLIST_SEED ?? 20_261_128);
const USERS = ['u1', '7', 'toString', '__proto__', 'Zoë 🎬'];
/** Candidates of the bundle, some that come and go, and some that never are candidates. */
const ITEMS = ['film0', 'film1', 'film2', 'm0', 'm1', 'constructor', 'never'];
const CHANGED = ['film0', 'm0', 'm1', 'constructor'];

const user = fc.constantFrom(...USERS);
const changed = fc.uniqueArray(fc.constantFrom(...CHANGED), { minLength: 1, maxLength: 3 });
const events = fc.array(fc.record({ user, item: fc.constantFrom(...ITEMS) }), { minLength: 1, maxLength: 6 });
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ verb: fc.constant('events' as const), events }) },
  { weight: 2, arbitrary: fc.record({ verb: fc.constant('upsert' as const), ids: changed }) },
  { weight: 2, arbitrary: fc.record({ verb: fc.constant('delete' as const), ids: changed }) },
  { weight: 1, arbitrary: fc.record({ verb: fc.constant('compact' as const) }) },
  { weight: 1, arbitrary: fc.record({ verb: fc.constant('rebalance' as const) }) },
  { weight: 1, arbitrary: fc.record({ verb: fc.constant('restart' as const) }) },
);

/** [index, processes, runs] */
const SERVERS: readonly (readonly [string, number, number])[] = [
  ['BruteForce', 1, 5],
  ['ScaNN', 1, 5],
  ['ScaNN', 2, 2],
];

for (const [kind, processes, runs] of SERVERS) {
  test(`${kind}, ${processes} at once: what users have seen is that of a plain model`, async () => {
    const basePath = await tinyBasePath({ scann: kind === 'ScaNN' });
    let server = await startTiny(basePath, { processes });
    const live = new Set(Array.from({ length: FILMS }, (_, i) => `film${i}`));
    const seen = new Map<string, Set<string>>(USERS.map((user) => [user, new Set()]));
    const send = async (path: string, body: object): Promise<void> => {
      const answer = await post(server, path, body);
      if (answer.status !== 200) assert.match(JSON.stringify(answer.body), /no leaves to rebalance/);
    };
    const property = fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 12 }), async (steps) => {
      for (const one of steps) {
        if (one.verb === 'events') {
          await send('/v1/events', { events: one.events });
          for (const { user, item } of one.events) seen.get(user)!.add(item);
        } else if (one.verb === 'upsert') {
          await send('/v1/candidates/upsert', { candidates: one.ids.map((id) => ({ id, embedding: [1, 2, 3, 4] })) });
          for (const id of one.ids) live.add(id);
        } else if (one.verb === 'delete') {
          await send('/v1/candidates/delete', { ids: one.ids });
          for (const id of one.ids) live.delete(id);
        } else if (one.verb === 'restart') {
          await server.close();
          server = await startTiny(basePath, { processes });
        } else await send(`/admin/models/films/${one.verb}`, {});
        for (const [user, items] of seen) {
          const request = {
            embedding: [1, 0, 0, 0],
            user,
            excludeSeen: true,
            k: 1000,
            leavesToSearch: 1000,
            reorder: 1000,
          };
          const { body } = await post(server, '/v1/shortlist', request);
          const found = (body as { results: { id: string }[] }).results.map(({ id }) => id);
          assert.deepEqual(found.sort(), [...live].filter((id) => !items.has(id)).sort(), `${one.verb}: ${user}`);
        }
      }
    });
    console.log(`seed ${SEED}`);
    try {
      await fc.assert(property, { numRuns: isThorough ? runs : Math.ceil(runs / 3), seed: SEED, endOnFailure: true });
    } finally {
      await server.close();
    }
  });
}
