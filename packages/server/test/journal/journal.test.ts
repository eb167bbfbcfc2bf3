import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Journal, type JournalFile } from '../../src/journal/journal.ts';
import { encodeRecord, HEAD_BYTES, headVersion, type JournalRecord } from '../../src/journal/record.ts';
import type { Update } from '../../src/servable/contract.ts';

const freshPath = (): string => join(mkdtempSync(join(tmpdir(), 'shortlist-journal-')), 'updates.journal');
const upsert = (identifier: string | number | bigint, ...numbers: number[]): Update => ({
  kind: 'upsert',
  identifier,
  embedding: Float32Array.from(numbers),
  attributes: { genre: 'é', year: 1999, old: true, none: null },
});

async function replayed(path: string): Promise<{ records: JournalRecord[]; journal: Journal }> {
  const records: JournalRecord[] = [];
  const journal = await Journal.open(path, 'always', (record) => {
    records.push(record);
    return undefined;
  });
  return { records, journal };
}

const UPDATES: Update[] = [
  upsert('a', 1, 2),
  { kind: 'delete', identifier: 'b' },
  upsert(7, 3, 4),
  upsert(2n ** 60n, 5, 6),
  { kind: 'upsert', identifier: '', embedding: new Float32Array(0), attributes: undefined },
];

test('what was appended is replayed in order, with every type of identifier', async () => {
  for (const fsync of ['always', { everyMs: 1 }] as const) {
    const path = freshPath();
    const journal = await Journal.open(path, fsync, () => assert.fail('nothing to replay'));
    await Promise.all(UPDATES.map((update) => journal.append([update])));
    await journal.close();
    const { records, journal: again } = await replayed(path);
    assert.deepEqual(
      records.map(({ update }) => update),
      UPDATES,
    );
    assert.deepEqual(
      records.map(({ sequence }) => sequence),
      [1, 2, 3, 4, 5],
    );
    assert.deepEqual(again.recovery, {
      records: 5,
      misfits: 0,
      misfit: undefined,
      bytesCut: 0,
      reason: undefined,
      damage: undefined,
    });
    await again.append([upsert('c', 1)]);
    await again.close();
    const third = await replayed(path);
    assert.equal(third.records.at(-1)!.sequence, 6);
    await third.journal.close();
  }
});

test('truncated at every byte of its last record: the whole ones stay, the rest is cut and reported', async () => {
  const path = freshPath();
  const { journal } = await replayed(path);
  for (const update of UPDATES) await journal.append([update]);
  await journal.close();
  const bytes = readFileSync(path);
  const last = encodeRecord({ sequence: 5, update: UPDATES[4]! }).length;
  for (let length = bytes.length - last; length < bytes.length; length++) {
    writeFileSync(path, bytes);
    truncateSync(path, length);
    const { records, journal } = await replayed(path);
    assert.equal(records.length, 4);
    assert.equal(journal.recovery.bytesCut, length - (bytes.length - last));
    await journal.append([upsert('after', 1)]);
    await journal.close();
    const again = await replayed(path);
    assert.deepEqual(
      again.records.map(({ sequence }) => sequence),
      [1, 2, 3, 4, 5],
    );
    assert.equal(again.journal.recovery.bytesCut, 0);
    await again.journal.close();
  }
});

test('a flipped bit in the last record is cut; a head that was never finished is started again', async () => {
  const path = freshPath();
  const { journal } = await replayed(path);
  await journal.append(UPDATES);
  await journal.close();
  const bytes = readFileSync(path);
  for (let at = bytes.length - 40; at < bytes.length; at++) {
    const damaged = Buffer.from(bytes);
    damaged[at]! ^= 0x10;
    writeFileSync(path, damaged);
    const { records, journal } = await replayed(path);
    assert.ok(records.length < 5);
    assert.ok(journal.recovery.bytesCut > 0);
    await journal.close();
  }
  for (let length = 1; length < HEAD_BYTES; length++) {
    writeFileSync(path, bytes.subarray(0, length));
    const { records, journal } = await replayed(path);
    assert.equal(records.length, 0);
    assert.equal(journal.recovery.bytesCut, length);
    await journal.close();
  }
});

test('a foreign file is refused, never overwritten', async () => {
  const path = freshPath();
  writeFileSync(path, 'this is somebody’s letter and no journal');
  await assert.rejects(replayed(path), { code: 'ERR_FORMAT' });
  assert.match(readFileSync(path, 'utf8'), /^this is/);
});

test('a full disk refuses the update, leaves no half record, and goes on when there is room', async () => {
  const path = freshPath();
  let full = false;
  const openFile = async (path: string): Promise<JournalFile> => {
    const file = await open(path, 'wx+');
    const write = file.write.bind(file) as (buffer: Uint8Array, ...rest: number[]) => Promise<{ bytesWritten: number }>;
    return Object.assign(file, {
      write: async (buffer: Uint8Array, offset: number, length: number, position: number) => {
        if (!full) return write(buffer, offset, length, position);
        await write(buffer, offset, Math.floor(length / 2), position);
        throw Object.assign(new Error('no space'), { code: 'ENOSPC' });
      },
    }) as JournalFile;
  };
  const journal = await Journal.open(path, 'always', () => undefined, { openFile });
  await journal.append([upsert('a', 1)]);
  full = true;
  await assert.rejects(journal.append([upsert('b', 2)]), {
    code: 'UNAVAILABLE',
    message: 'The update was refused: the disk is full',
  });
  full = false;
  await journal.append([upsert('c', 3)]);
  await journal.close();
  const { records, journal: again } = await replayed(path);
  assert.deepEqual(
    records.map(({ update }) => update.identifier),
    ['a', 'c'],
  );
  assert.equal(again.recovery.bytesCut, 0);
  await again.close();
});

test('what users have seen is replayed; from the first such record on the head says version 3', async () => {
  const path = freshPath();
  const seen = (user: string, identifier: string | number | bigint): Update => ({ kind: 'seen', user, identifier });
  const journal = await Journal.open(path, 'always', () => assert.fail('nothing to replay'));
  const versions: number[] = [];
  const requests: Update[][] = [
    [upsert('a', 1)],
    [seen('u', 'a'), seen('Zoë 🎬', 7), upsert('b', 2)],
    [seen('toString', 2n ** 62n)],
    [{ kind: 'delete', identifier: 'a' }],
  ];
  for (const request of requests) {
    await journal.append(request);
    versions.push(headVersion(readFileSync(path)));
  }
  assert.deepEqual(versions, [2, 3, 3, 3]);
  await journal.close();
  const { records, journal: again } = await replayed(path);
  assert.deepEqual(
    records.map(({ update }) => update),
    requests.flat(),
  );
  assert.deepEqual([again.recovery.damage, again.recovery.bytesCut], [undefined, 0]);
  await again.append([seen('u', 'b')]);
  await again.close();
  assert.equal(headVersion(readFileSync(path)), 3);
});

test('a head that was being raised when the machine stopped costs no record', async () => {
  const path = freshPath();
  const journal = await Journal.open(path, 'always', () => undefined);
  await journal.append([upsert('a', 1)]);
  await journal.close();
  const torn = readFileSync(path);
  torn[8] = 3;
  writeFileSync(path, torn);
  const { records, journal: again } = await replayed(path);
  assert.equal(records.length, 1);
  assert.match(again.recovery.damage!.reason, /the head is damaged/);
  await again.close();
});
