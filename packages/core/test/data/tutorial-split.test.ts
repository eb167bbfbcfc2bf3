/**
 * The tutorial's split, bit for bit. The figures come from TensorFlow 2.20 and TensorFlow Datasets (order and hashes of
 * the split), the digests from RFC 1321, appendix A.5.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { test } from 'node:test';
import { md5Words } from '../../src/data/md5.ts';
import { readMovieLensFolder } from '../../src/data/movielens-folder.ts';
import type { MovieLensRatings } from '../../src/data/movielens-ratings.ts';
import { tfdsOrder, tfShuffle, tutorialSplit } from '../../src/data/tutorial-split.ts';

const DATA = process.env.SHORTLIST_DATA;
const skip = DATA === undefined && 'SHORTLIST_DATA is not set';

const hex = (words: readonly number[]): string => words.map((word) => word.toString(16).padStart(8, '0')).join('');

test('md5: the vectors of RFC 1321 that fit into one block', () => {
  const known = {
    '': 'd41d8cd98f00b204e9800998ecf8427e',
    a: '0cc175b9c0f1b6a831c399e269772661',
    abc: '900150983cd24fb0d6963f7d28e17f72',
    'message digest': 'f96b697d7cb7938d525a2f31aaf161d0',
    abcdefghijklmnopqrstuvwxyz: 'c3fcd3d76192e4007dfb496cca67e13b',
  };
  for (const [text, digest] of Object.entries(known)) assert.equal(hex(md5Words(text)), digest);
});

test('md5 equals the system, up to the longest text', () => {
  for (let length = 0; length <= 55; length++) {
    const text = 'train0123456789'.repeat(4).slice(0, length);
    assert.equal(hex(md5Words(text)), createHash('md5').update(text).digest('hex'));
  }
  assert.throws(() => md5Words('x'.repeat(56)), /one block/);
});

test('tfdsOrder is ascending by the digest as a 128-bit integer', () => {
  const key = (row: number): bigint => BigInt(`0x${createHash('md5').update(`train${row}`).digest('hex')}`);
  const order = tfdsOrder(500);
  assert.equal(new Set(order).size, 500);
  for (let i = 1; i < order.length; i++) assert.ok(key(order[i - 1]!) < key(order[i]!));
});

test("tfShuffle is TensorFlow's shuffle with seed 42", () => {
  assert.deepEqual([...tfShuffle(10, 42)], [3, 2, 4, 9, 6, 1, 7, 0, 8, 5]);
  const order = tfShuffle(100_000, 42);
  assert.deepEqual(
    [...order.subarray(0, 20)],
    [
      50633, 33113, 42358, 88434, 45144, 4086, 12219, 13956, 82858, 91309, 71786, 4864, 65045, 42619, 14186, 70391,
      12170, 40320, 79935, 65456,
    ],
  );
  assert.deepEqual([...order.subarray(-5)], [82316, 29946, 26587, 49936, 11337]);
  const bytes = Buffer.alloc(400_000);
  order.forEach((row, i) => {
    bytes.writeInt32LE(row, 4 * i);
  });
  assert.equal(
    createHash('sha256').update(bytes).digest('hex'),
    'c526a4fa1a5cc7d66c79ac11b1a50d2e9664bbfcfc5af328e6ba567bb0a05647',
  );
});

test('tfShuffle of nothing and of one row, and a seed out of range', () => {
  assert.deepEqual([...tfShuffle(0, 42)], []);
  assert.deepEqual([...tfShuffle(1, 42)], [0]);
  assert.throws(() => tfShuffle(10, -1), { code: 'ERR_OPTION' });
  assert.throws(() => tfShuffle(-1, 42), { code: 'ERR_OPTION' });
});

test("the tutorial's train and test rows", { skip }, async () => {
  const { train, test, movies } = tutorialSplit(await readMovieLensFolder(join(DATA!, 'movielens-100k')));
  const first = (rows: MovieLensRatings, count: number): string[][] =>
    Array.from({ length: count }, (_, i) => [rows.userIds[i]!, rows.titles[i]!]);
  const sha256 = (rows: MovieLensRatings): string =>
    createHash('sha256')
      .update(rows.userIds.map((user, i) => `${user}\t${rows.movieIds[i]}`).join('\n'))
      .digest('hex');
  assert.deepEqual(first(train, 5), [
    ['681', 'Postman, The (1997)'],
    ['442', 'Clueless (1995)'],
    ['932', 'Maltese Falcon, The (1941)'],
    ['506', 'His Girl Friday (1940)'],
    ['18', 'Quiz Show (1994)'],
  ]);
  assert.deepEqual(first(test, 3), [
    ['346', 'M*A*S*H (1970)'],
    ['602', 'Volcano (1997)'],
    ['393', '2001: A Space Odyssey (1968)'],
  ]);
  assert.equal(train.length, 80_000);
  assert.equal(test.length, 20_000);
  assert.equal(sha256(train), 'f0b556a37b3827b84d44ebe2733b3581ab6273b082e26fd0476cf72c11654e1f');
  assert.equal(sha256(test), 'a523ea2eb7f999bfd620a4e64399a3b9577bad4f0cd2ff4acf5c5bdd59658c0a');
  assert.deepEqual(movies.titles.slice(0, 3), [
    'You So Crazy (1994)',
    'Love Is All There Is (1996)',
    'Fly Away Home (1996)',
  ]);
  const trained = new Set(train.titles);
  assert.equal(new Set(movies.titles.filter((title) => !trained.has(title))).size, 38);
});

test('the rows as TensorFlow Datasets stores them', { skip }, async () => {
  const { interactions } = await readMovieLensFolder(join(DATA!, 'movielens-100k'));
  const order = tfdsOrder(interactions.length);
  assert.deepEqual(
    [...order.subarray(0, 5)].map((row) => [interactions.userIds[row], interactions.titles[row]]),
    [
      ['138', "One Flew Over the Cuckoo's Nest (1975)"],
      ['92', 'Strictly Ballroom (1992)'],
      ['301', 'Very Brady Sequel, A (1996)'],
      ['60', 'Pulp Fiction (1994)'],
      ['197', 'Scream 2 (1997)'],
    ],
  );
});
