/** A followed journal: every whole request once, and of a growing file only what was appended is read. */
import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, readFileSync, renameSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { FollowedJournal } from '../../src/journal/followed-journal.ts';
import { Journal } from '../../src/journal/journal.ts';
import { encodeRequest, HEAD_BYTES } from '../../src/journal/record.ts';
import type { Update } from '../../src/servable/contract.ts';

const remove = (i: number): Update => ({ kind: 'delete', identifier: `id${i}` });
const numbers = async (followed: FollowedJournal): Promise<number[]> =>
  (await followed.news()).map(({ update }) => Number(String(update.identifier).slice(2)));
const pathOfNew = (): string => join(mkdtempSync(join(tmpdir(), 'shortlist-followed-')), 'updates.journal');
const follow = (path: string): FollowedJournal => new FollowedJournal(path, { isLocked: true, reason: 'test' });

test('200 looks at a growing journal read its bytes once, not 200 times', async () => {
  const path = pathOfNew();
  const followed = follow(path);
  assert.deepEqual(await numbers(followed), []);
  const journal = await Journal.open(path, { everyMs: 1000 }, () => assert.fail('nothing to replay'));
  for (let i = 0; i < 200; i++) {
    await journal.append([remove(2 * i), remove(2 * i + 1)]);
    assert.deepEqual(await numbers(followed), [2 * i, 2 * i + 1]);
    assert.deepEqual(await numbers(followed), []);
  }
  assert.equal(followed.bytesRead, journal.sizeBytes);
  assert.equal(followed.sizeBytes, journal.sizeBytes);
  await journal.close();
});

test('half a request is seen when it is whole; one that was cut off again is read anew', async () => {
  const path = pathOfNew();
  const journal = await Journal.open(path, 'always', () => assert.fail('nothing to replay'));
  await journal.append([remove(0)]);
  await journal.close();
  const followed = follow(path);
  assert.deepEqual(await numbers(followed), [0]);
  const before = readFileSync(path).length;
  const request = encodeRequest([remove(1), remove(2)], 2);
  for (let cut = 1; cut < request.length; cut++) {
    truncateSync(path, before);
    appendFileSync(path, request.subarray(0, cut));
    assert.deepEqual(await numbers(followed), [], `${cut} bytes`);
  }
  truncateSync(path, before);
  appendFileSync(path, request);
  assert.deepEqual(await numbers(followed), [1, 2]);
  // Another request in its place, longer: nothing begins where the last look ended.
  truncateSync(path, before);
  appendFileSync(path, encodeRequest([remove(3), remove(4), remove(5), remove(6)], 4));
  assert.deepEqual(await numbers(followed), [3, 4, 5, 6]);
  // Replaced by one of its whole requests, as after damage.
  const bytes = readFileSync(path);
  writeFileSync(`${path}.new`, Buffer.concat([bytes.subarray(0, HEAD_BYTES), encodeRequest([remove(7)], 9)]));
  renameSync(`${path}.new`, path);
  assert.deepEqual(await numbers(followed), [7]);
});
