import assert from 'node:assert/strict';
import { test } from 'node:test';
import { overload } from './overload.ts';

test('200 % overload: goodput above 80 % of capacity, the rest is shed, nothing hangs', async () => {
  const { goodput, capacity, shed, hung } = await overload(1000);
  assert.equal(hung, 0);
  assert.ok(shed > 0);
  assert.ok(goodput >= 0.8 * capacity, `${goodput} of ${capacity} a second`);
});
