/** A journal of format version 1, which a server of that version wrote, loads for ever, and is appended to. */
import assert from 'node:assert/strict';
import { copyFileSync, mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { FollowedJournal } from '../../src/journal/followed-journal.ts';
import { Journal } from '../../src/journal/journal.ts';
import type { Update } from '../../src/servable/contract.ts';

/** Beside the sources: the build holds only compiled files. */
const STORED = fileURLToPath(new URL('../../../test/compat/v1/updates.journal', import.meta.url));

const UPDATES: readonly Update[] = [
  {
    kind: 'upsert',
    identifier: 'film1',
    embedding: Float32Array.of(1, 2, 3, 4),
    attributes: { year: 2001, genre: 'drama' },
  },
  {
    kind: 'upsert',
    identifier: 'new ünï 猫',
    embedding: Float32Array.of(-1, 0.5, 0, 9),
    attributes: { inStock: true, __proto__x: 'x' },
  },
  { kind: 'delete', identifier: 'film2' },
  { kind: 'upsert', identifier: 7, embedding: Float32Array.of(0, 0, 0, 1), attributes: undefined },
  { kind: 'delete', identifier: 2n ** 60n },
  {
    kind: 'upsert',
    identifier: 'last',
    embedding: Float32Array.of(4, 3, 2, 1),
    attributes: { year: null, genre: '' },
  },
];

test('it is of version 1, and every update is replayed; others go behind them', async () => {
  assert.equal(readFileSync(STORED).readUInt32LE(8), 1);
  const path = join(mkdtempSync(join(tmpdir(), 'shortlist-compat-')), 'updates.journal');
  copyFileSync(STORED, path);
  const more: Update = { kind: 'delete', identifier: 'last' };
  const seen: Update = { kind: 'seen', user: 'u1', identifier: 'film2' };
  for (const expected of [UPDATES, [...UPDATES, more, seen]]) {
    const replayed: Update[] = [];
    const journal = await Journal.open(path, 'always', ({ update }) => void replayed.push(update));
    assert.deepEqual(replayed, expected);
    const { damage, bytesCut } = journal.recovery;
    assert.deepEqual([damage, bytesCut, journal.records], [undefined, 0, expected.length]);
    if (expected === UPDATES) await journal.append([more, seen]);
    await journal.close();
  }
});

test('it can be followed', async () => {
  const followed = new FollowedJournal(STORED, { isLocked: true, reason: 'test' });
  assert.deepEqual(
    (await followed.news()).map(({ update }) => update),
    UPDATES,
  );
});
