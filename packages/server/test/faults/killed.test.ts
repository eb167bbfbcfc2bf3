/** kill -9: every acknowledged update is there after a restart, and no half one. The long form is test/slow. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { killDuringCompaction, killDuringUpserts } from './killing.ts';

test('kill -9 during upserts', async () => {
  const { acknowledged, found, half } = await killDuringUpserts(200);
  assert.ok(acknowledged.length > 0);
  assert.deepEqual(
    acknowledged.filter((id) => !found.has(id)),
    [],
  );
  assert.equal(half, 0);
});

test('kill -9 during compaction', async () => {
  for (const delayMs of [0, 15]) {
    const { acknowledged, found, folders } = await killDuringCompaction(40, delayMs);
    assert.deepEqual(
      acknowledged.filter((id) => !found.has(id)),
      [],
    );
    assert.ok(
      folders.every((name) => /^\d+$/.test(name)),
      String(folders),
    );
  }
});
