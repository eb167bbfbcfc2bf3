import assert from 'node:assert/strict';
import { test } from 'node:test';
import { overload } from './overload.ts';

test('200 % overload: answers go on, the rest is shed, nothing hangs (test/slow has the figure)', async () => {
  const { goodput, shed, hung } = await overload(1000);
  assert.equal(hung, 0);
  assert.ok(shed > 0);
  assert.ok(goodput > 0);
});
