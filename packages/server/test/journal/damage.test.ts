/** Damage to a journal: what is whole is replayed, what is not is kept aside and said. The long form is test/slow. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { Journal } from '../../src/journal/journal.ts';
import {
  checkDamaged,
  copiesIn,
  HEAD_BYTES,
  knownJournal,
  REQUESTS,
  replayNumbers,
  requestAt,
} from './damaged-journal.ts';

test('one flipped bit costs its request and no other, wherever it is', async () => {
  const known = await knownJournal();
  const { bytes } = known;
  // Every seventh byte meets every field of some record; test/slow flips all.
  for (let at = HEAD_BYTES; at < bytes.length; at += 7) {
    const damaged = Buffer.from(bytes);
    damaged[at]! ^= 1 << (at % 8);
    await checkDamaged(known, damaged, new Set([requestAt(known, at)]), `byte ${at}`);
  }
});

test('a journal cut anywhere replays whole requests only', async () => {
  const known = await knownJournal();
  const { bytes, begins } = known;
  for (let length = HEAD_BYTES; length < bytes.length; length += 5) {
    const touched = new Set([...REQUESTS.keys()].filter((i) => begins[i + 1]! > length));
    writeFileSync(known.path, bytes.subarray(0, length));
    const { journal, numbers } = await replayNumbers(known.path);
    assert.deepEqual(
      numbers,
      REQUESTS.flatMap((request, i) => (touched.has(i) ? [] : request)),
    );
    // A write that a crash interrupted: nothing else is damaged, and no copy needed.
    assert.deepEqual([journal.recovery.damage, copiesIn(known.folder)], [undefined, []]);
    assert.equal(journal.recovery.bytesCut, length - journal.sizeBytes);
    await journal.close();
  }
});

test('bytes that were put in, taken out or zeroed between and within requests cost those they touch', async () => {
  const known = await knownJournal();
  const { bytes, begins } = known;
  for (let i = 1; i < REQUESTS.length; i++) {
    const begin = begins[i]!;
    const insert = (piece: Buffer): Buffer => Buffer.concat([bytes.subarray(0, begin), piece, bytes.subarray(begin)]);
    await checkDamaged(known, insert(Buffer.alloc(50)), new Set(), `zeros before request ${i}`);
    await checkDamaged(known, insert(Buffer.alloc(33, 0xff)), new Set(), `ones before request ${i}`);
    const without = Buffer.concat([bytes.subarray(0, begin - 3), bytes.subarray(begin)]);
    await checkDamaged(known, without, new Set([i - 1]), `three bytes less before request ${i}`);
    const zeroed = Buffer.from(bytes);
    zeroed.fill(0, begin - 4, begin + 4);
    await checkDamaged(known, zeroed, new Set([i - 1, i]), `zeros over the border before request ${i}`);
  }
});

test('zeros behind the end, which a file system leaves that lost its power, are cut without a copy', async () => {
  const known = await knownJournal();
  writeFileSync(known.path, Buffer.concat([known.bytes, Buffer.alloc(4096)]));
  const { journal, numbers } = await replayNumbers(known.path);
  assert.deepEqual(numbers, REQUESTS.flat());
  assert.deepEqual([journal.recovery.bytesCut, journal.recovery.damage], [4096, undefined]);
  await journal.close();
});

test('a damaged head does not cost the records; a newer version and a foreign file are refused and left alone', async () => {
  const known = await knownJournal();
  for (let at = 0; at < HEAD_BYTES; at++) {
    const damaged = Buffer.from(known.bytes);
    damaged[at]! ^= 0x20;
    writeFileSync(known.path, damaged);
    const { journal, numbers } = await replayNumbers(known.path);
    assert.deepEqual(numbers, REQUESTS.flat());
    assert.match(journal.recovery.damage!.reason, /not a journal|head is damaged/);
    await journal.close();
  }
  // Version 4, with the checksum of its head.
  const newer = Buffer.from(known.bytes);
  newer.writeUInt32LE(4, 8);
  newer.writeUInt32LE((await import('node:zlib')).crc32(newer.subarray(0, 12)), 12);
  writeFileSync(known.path, newer);
  await assert.rejects(replayNumbers(known.path), /expected a format version from 1 to 3, got 4/);
  assert.deepEqual(readFileSync(known.path), newer);
});

test('by option a damaged journal is refused, says how much is whole, and is not touched', async () => {
  const known = await knownJournal();
  const damaged = Buffer.from(known.bytes);
  damaged[known.begins[1]! + 12]! ^= 1;
  writeFileSync(known.path, damaged);
  const replayed: unknown[] = [];
  await assert.rejects(
    Journal.open(known.path, 'always', (record) => void replayed.push(record), { onDamage: 'refuse' }),
    { code: 'ERR_FORMAT', message: /damaged: a record has a wrong checksum .*4 whole records after it.*journalDamage/ },
  );
  assert.deepEqual([readFileSync(known.path), copiesIn(known.folder), replayed], [damaged, [], []]);
  // A torn end is no damage.
  writeFileSync(known.path, known.bytes.subarray(0, -3));
  const { journal, numbers } = await replayNumbers(known.path, { onDamage: 'refuse' });
  assert.deepEqual(numbers, REQUESTS.slice(0, -1).flat());
  await journal.close();
});

test('a record inside the attributes of a damaged one is not taken for a record', async () => {
  const known = await knownJournal();
  const { bytes, begins } = known;
  // An old record, repeated behind later ones: its sequence was used before.
  const old = bytes.subarray(begins[0]!, begins[1]!);
  const damaged = Buffer.concat([bytes.subarray(0, begins[3]! + 8), old, bytes.subarray(begins[3]! + 8)]);
  await checkDamaged(known, damaged, new Set([3]), 'an old record within a later one');
});
