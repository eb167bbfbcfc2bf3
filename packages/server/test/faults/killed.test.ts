/** kill -9: every acknowledged update is there after a restart, and no half one. The long form is test/slow. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { killDuring, killDuringEvents, killDuringUpserts } from './killing.ts';

test('kill -9 during upserts', async () => {
  const { acknowledged, found, half } = await killDuringUpserts(200);
  assert.ok(acknowledged.length > 0);
  assert.deepEqual(
    acknowledged.filter((id) => !found.has(id)),
    [],
  );
  assert.equal(half, 0);
});

test('kill -9 during events: what was acknowledged is seen, and no half request', async () => {
  const { acknowledged, found } = await killDuringEvents(200);
  assert.ok(acknowledged.length > 0);
  assert.deepEqual(
    acknowledged.filter((item) => !found.has(item)),
    [],
  );
  for (const item of found) {
    const i = Number(item.slice(1));
    assert.ok(found.has(`n${i % 2 === 0 ? i + 1 : i - 1}`), `the other event of the request of ${item}`);
  }
});

/** Moments during long steps; stopped.test.ts kills between the steps. */
const MOMENTS = { compact: ['saved'], rebalance: ['begun', 'loaded'] } as const;

for (const work of ['compact', 'rebalance'] as const) {
  for (const stage of MOMENTS[work]) {
    test(`kill -9 while updates go on during a ${work} that has ${stage}`, async () => {
      const { acknowledged, found, half, folders } = await killDuring(work, 40, stage);
      assert.ok(acknowledged.length >= 40);
      assert.deepEqual(
        acknowledged.filter((id) => !found.has(id)),
        [],
      );
      assert.equal(half, 0);
      assert.ok(
        folders.every((name) => /^\d+$/.test(name)),
        String(folders),
      );
    });
  }
}
