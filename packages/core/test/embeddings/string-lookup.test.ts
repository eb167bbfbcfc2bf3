/** StringLookup: Keras's numbering, UTF-8 order, and vocabularies that cannot be. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { compareUtf8, StringLookup } from '../../src/embeddings/string-lookup.ts';

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
    fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (a, b) => {
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
