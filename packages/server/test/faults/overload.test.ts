import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { occupy, until } from '../fixtures/occupied.ts';
import { post, startTiny, tinyBasePath } from '../fixtures/tiny-bundle.ts';
import { countedClock, overload } from './overload.ts';
import { overloadSockets } from './socket-overload.ts';

/** Queries that a queue holds, and those that are sent to it at once. */
const [QUEUED, ASKED] = [32, 150];

test('200 % overload: answers go on, the rest is shed, nothing hangs (test/slow has it by CPU time)', async () => {
  const { goodput, capacity, shed, hung } = await overload(500, countedClock());
  assert.equal(hung, 0);
  assert.ok(shed > 0);
  assert.ok(goodput >= 0.8 * capacity, `${goodput} of ${capacity} a second`);
});

test('more requests over sockets than the queue holds: the rest is refused with 503 while it is full', async () => {
  const server = await startTiny(await tinyBasePath(), { queue: { queued: QUEUED } });
  after(() => server.close());
  const { batcher, servable } = server.registry.choose('films', {});
  const query = (): Promise<{ status: number; headers: Headers }> => post(server, '/v1/shortlist', { query: 'u1' });
  const release = await occupy(servable, query);
  const ended: [number, string | null][] = [];
  const asked = Array.from({ length: ASKED }, async () => {
    const { status, headers } = await query();
    ended.push([status, headers.get('retry-after')]);
  });
  await until(() => ended.length + batcher.waiting === ASKED);
  assert.equal(batcher.waiting, QUEUED);
  assert.ok(ended.every(([status, retryAfterS]) => status === 503 && retryAfterS === '1'));
  await release();
  await Promise.all(asked);
  assert.equal(ended.filter(([status]) => status === 200).length, QUEUED);
});

test('200 % overload over sockets: every request is answered or refused, nothing hangs', async () => {
  const { goodput, statuses, hung } = await overloadSockets(400);
  assert.equal(hung, 0);
  assert.ok(goodput > 0);
  // How many are refused is a matter of how fast this process sends.
  assert.ok([...statuses.keys()].every((status) => status === 200 || status === 503));
});
