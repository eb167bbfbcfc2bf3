/** The kept shape of queued callbacks: found in the runtimes there are, once, with nothing left switched on. In its own process. */
import assert from 'node:assert/strict';
import { createHook } from 'node:async_hooks';
import { test } from 'node:test';
import { retainTickObject } from '../../src/http/retain-tick-object.ts';

test('one queued callback is found and kept, and only once', async () => {
  const ticks: object[] = [];
  const hook = createHook({
    init: (_id, type, _trigger, resource) => {
      if (type === 'TickObject') ticks.push(resource);
    },
  }).enable();
  assert.ok(retainTickObject());
  assert.equal(ticks.length, 1);
  assert.ok(retainTickObject());
  assert.equal(ticks.length, 1);
  hook.disable();
  // The shape it has is that of every callback queued later.
  hook.enable();
  await new Promise<void>((resolve) => process.nextTick(resolve));
  hook.disable();
  assert.deepEqual(Reflect.ownKeys(ticks.at(-1)!), Reflect.ownKeys(ticks[0]!));
});
