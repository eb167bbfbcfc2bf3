/** StringLookup: Keras's numbering, UTF-8 order, and invalid vocabularies. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { hashWord } from '../../src/columns/text-bytes.ts';
import { compareUtf8, StringLookup } from '../../src/embeddings/string-lookup.ts';
import { WordIndex } from '../../src/embeddings/word-index.ts';
import { anyText } from '../any-text.ts';

test('ids begin after out-of-vocabulary, and after the mask where there is one', () => {
  const plain = new StringLookup({ vocabulary: ['b', 'a'] });
  assert.deepEqual([...plain.encode(['b', 'a', 'c', ''])], [1, 2, 0, 0]);
  assert.equal(plain.size, 3);
  const masked = new StringLookup({ vocabulary: ['b', 'a'], maskToken: '-' });
  assert.deepEqual([...masked.encode(['b', 'a', 'c', '', '-'])], [2, 3, 1, 1, 0]);
  assert.equal(masked.size, 4);
});

test('adapt orders by UTF-8 bytes', () => {
  assert.deepEqual(StringLookup.adapt(['a', '9', 'Z', '10', '100', 'a', '']).vocabulary, ['10', '100', '9', 'Z', 'a']);
  // U+FF5E is below U+1F600 in UTF-8 and above its first surrogate in UTF-16.
  assert.deepEqual(StringLookup.adapt(['😀', '～']).vocabulary, ['～', '😀']);
  const bytes = (text: string): Buffer => Buffer.from(text, 'utf8');
  fc.assert(
    fc.property(anyText(), anyText(), (a, b) => {
      assert.equal(Math.sign(compareUtf8(a, b)), Math.sign(Buffer.compare(bytes(a), bytes(b))));
    }),
    { seed: 2, numRuns: 500 },
  );
});

test('words that cannot be told apart are refused by name and position', () => {
  assert.throws(() => new StringLookup({ vocabulary: ['a', 'b', 'a'] }), /"a" again at position 2/);
  assert.throws(() => new StringLookup({ vocabulary: ['a', ''] }), /"" at position 1/);
  assert.throws(() => new StringLookup({ vocabulary: ['[UNK]'] }), /reserved/);
  assert.throws(() => new StringLookup({ vocabulary: ['-'], maskToken: '-' }), /reserved/);
  assert.throws(
    () => new StringLookup({ vocabulary: ['a'] }).encode([1 as unknown as string]),
    /strings, got 1 at position 0/,
  );
});

test('several ids for unknown words divide them, always in the same way', () => {
  const lookup = new StringLookup({ vocabulary: ['a'], maskToken: '', numOovIndices: 3 });
  assert.deepEqual([lookup.size, lookup.idOf('a'), lookup.idOf(''), lookup.oovId, lookup.missingId], [5, 4, 0, 1, 0]);
  const unknown = Array.from({ length: 300 }, (_, i) => lookup.idOf(`word ${i}`));
  for (const id of [1, 2, 3]) assert.ok(unknown.filter((each) => each === id).length > 60, `id ${id}`);
  // Saved models depend on the hash: MurmurHash3's finalizer over FNV-1a of the UTF-8 bytes.
  assert.deepEqual(['a', 'é', '😀'].map(hashWord), [0x1a80b1b3, 0x8e4756c7, 0x3303a80a]);
  assert.equal(new StringLookup({ vocabulary: ['a'], numOovIndices: 0 }).idOf('b'), -1);
});

test('a quarter of a million words take their bytes and at most 12 bytes each, and each is found', () => {
  const vocabulary = Array.from({ length: 250_000 }, (_, i) => `item-${(i * 7919) % 1_000_003}`);
  const lookup = new StringLookup({ vocabulary });
  const textBytes = vocabulary.reduce((sum, word) => sum + word.length, 0);
  // Measured 10.0 bytes a word beside the text.
  assert.ok(lookup.memoryBytes <= textBytes + 12 * vocabulary.length, `${lookup.memoryBytes - textBytes} bytes`);
  for (let i = 0; i < vocabulary.length; i += 997) {
    assert.equal(lookup.idOf(vocabulary[i]!), i + 1);
    assert.equal(lookup.wordAt(i), vocabulary[i]);
  }
  assert.equal(lookup.idOf('item-x'), 0);
});

test('an index of words agrees with a map, for any strings', () => {
  const word = fc.oneof(anyText({ minLength: 1 }), fc.constantFrom('\ud800', '\udc00x', 'a\ud83d', '😀', 'é'));
  fc.assert(
    fc.property(fc.array(word, { maxLength: 80 }), fc.array(word, { maxLength: 20 }), (added, asked) => {
      const index = new WordIndex();
      const map = new Map<string, number>();
      for (const each of added) {
        if (!map.has(each)) map.set(each, map.size);
        assert.equal(index.add(each), map.get(each));
      }
      index.compact();
      for (const each of [...added, ...asked]) assert.equal(index.rowOf(each), map.get(each) ?? -1);
      assert.deepEqual([...index.words()], [...map.keys()]);
      for (let row = 1; row < index.size; row++) {
        const [a, b] = [index.at(row - 1), index.at(row)];
        if (/\p{Surrogate}/u.test(a + b)) continue; // they have no place in UTF-8
        const expected = compareUtf8(a, b);
        assert.equal(Math.sign(index.compare(row - 1, row)), Math.sign(expected));
      }
    }),
    { seed: 3, numRuns: 300 },
  );
});
