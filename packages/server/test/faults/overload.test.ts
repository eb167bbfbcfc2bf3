import assert from 'node:assert/strict';
import { test } from 'node:test';
import { countedClock, overload } from './overload.ts';
import { overloadSockets } from './socket-overload.ts';

test('200 % overload: answers go on, the rest is shed, nothing hangs (test/slow has it by the machine’s clock)', async () => {
  const { goodput, capacity, shed, hung } = await overload(500, countedClock());
  assert.equal(hung, 0);
  assert.ok(shed > 0);
  assert.ok(goodput >= 0.8 * capacity, `${goodput} of ${capacity} a second`);
});

test('200 % overload over sockets: every request is answered or refused with 503', async () => {
  const { goodput, statuses, hung } = await overloadSockets(700);
  assert.equal(hung, 0);
  assert.ok(goodput > 0);
  assert.ok(statuses.get(503)! > 0);
  assert.deepEqual([...statuses.keys()].sort(), [200, 503]);
});
