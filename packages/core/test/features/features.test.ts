/**
 * Several features together: shared tables, refused specs, all values that do not fit at once, and properties of
 * learning.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { StringLookup } from '../../src/embeddings/string-lookup.ts';
import { FeatureError, OptionError } from '../../src/errors/errors.ts';
import { checkFeatureSpecs } from '../../src/features/check-spec.ts';
import type { Feature } from '../../src/features/contract.ts';
import { type FeatureSet, loadFeatureSets, saveFeatureSets } from '../../src/features/feature-set.ts';
import { FeatureLearner, learnFeatures } from '../../src/features/learn-features.ts';
import { boundariesOf } from '../../src/features/number.ts';
import type { FeatureSpecs } from '../../src/features/spec.ts';
import { tokensOf } from '../../src/features/tokens.ts';
import { loadPart, readSaved } from '../../src/format/part.ts';
import { containerSections } from '../../src/format/saved.ts';
import { bytesSource } from '../../src/format/source.ts';
import { createTowers } from '../../src/towers/create-towers.ts';
import { Tower } from '../../src/towers/tower.ts';
import { anyText } from '../any-text.ts';
import { containerOf, runtime } from '../format/containers.ts';
import { rowsOf } from './columns.ts';

/** The words of a feature's vocabulary in the order of their ids. */
function wordsOf({ vocabulary }: Feature): readonly string[] {
  assert.ok(vocabulary instanceof StringLookup);
  return vocabulary.vocabulary;
}

test('features of one table share words, counted together, and a table that both towers use is saved once', async () => {
  const set = await learnFeatures(
    {
      history: { type: 'sequence', table: 'items', missing: 'own' },
      item: { type: 'string', table: 'items', minCount: 2, maxTokens: 4 },
    },
    [
      {
        history: [
          ['a', 'b'],
          ['b', 'c', 'c', 'c'],
        ],
      },
      { item: ['a', 'a', 'b', 'd'] },
    ],
  );
  const [history, item] = set.features;
  assert.equal(history!.vocabulary, item!.vocabulary);
  assert.deepEqual([history!.table, item!.table, item!.vocabularySize], ['items', 'items', 4]);
  // c 3, b 3, a 3, d 1: two rows are left beside those of missing and unknown words.
  assert.deepEqual(wordsOf(item!), ['c', 'b']);
  const sets = [set.pick(['history']), set.pick(['item'])];
  const saved = saveFeatureSets(sets);
  assert.deepEqual(Object.keys(saved.parts!), ['vocabulary0']);
  const bytes = containerOf(containerSections(saved));
  const load = { features: loadFeatureSets };
  const [queries, candidates] = await readSaved(bytesSource(bytes), (root) => loadPart(root, load), runtime);
  assert.equal(queries!.features[0]!.vocabulary, candidates!.features[0]!.vocabulary);
  assert.deepEqual(rowsOf(candidates!.encode(['c', 'x', ''])[0]!), [2, 1, 0]);
});

test('options of a table may stand at one of its features, and may not contradict', async () => {
  const learner = (specs: FeatureSpecs): FeatureLearner => new FeatureLearner(specs);
  assert.throws(
    () => learner({ a: { type: 'string', table: 't', minCount: 2 }, b: { type: 'bag', table: 't', minCount: 3 } }),
    /minCount: expected one value for the table "t", got 2 and 3/,
  );
  assert.throws(
    () => learner({ a: { type: 'string', table: 't' }, b: { type: 'time', part: 'hour', table: 't' } }),
    /table: expected features whose ids mean the same to share "t", got a, b/,
  );
  learner({ a: { type: 'time', part: 'hour', table: 't' }, b: { type: 'time', part: 'hour', table: 't' } });
  // A feature of floats has no table, so its name is free.
  learner({ items: { type: 'number' }, item: { type: 'string', table: 'items' } });
});

test('words are hashed, kept by count, or spread over several ids for unknown ones', async () => {
  const values = ['a', 'b', 'b', 'c', 'c', 'c'];
  const set = await learnFeatures(
    {
      hashed: { type: 'string', field: 'x', numBins: 8 },
      own: { type: 'string', field: 'x', numBins: 8, missing: 'own' },
      frequent: { type: 'string', field: 'x', minCount: 2, numOovIndices: 3 },
      known: { type: 'string', field: 'x', minCount: 3, numOovIndices: 0, table: 'known' },
      list: { type: 'bag', field: 'y', table: 'known' },
    },
    [{ x: values, y: values.map((each) => [each]) }],
  );
  assert.equal(set.get('hashed').vocabularySize, 8);
  assert.equal(set.get('frequent').vocabularySize, 5);
  const frequent = rowsOf(set.get('frequent').encode(['c', 'b', 'a', 'x', 'y', 'z'])) as number[];
  assert.deepEqual(frequent.slice(0, 2), [3, 4]);
  assert.ok(frequent.slice(2).every((id) => id < 3));
  const own = rowsOf(set.get('own').encode(['', 'q', 'r', null])) as number[];
  assert.deepEqual([own[0], own[3]], [0, 0]);
  assert.ok(own[1]! > 0 && own[2]! > 0);
  assert.deepEqual(rowsOf(set.get('list').encode([['a', 'c', 'zz', 'b']])), [[0, 1]]);
  assert.throws(
    () => set.get('known').encode(['c', 'a']),
    /known in row 1: expected a word of the vocabulary.*got "a"/,
  );
});

test('a list that is too long keeps the end that the spec names', async () => {
  const set = await learnFeatures(
    {
      first: { type: 'bag', field: 'x', table: 't', maxLength: 2 },
      last: { type: 'sequence', field: 'x', table: 't', maxLength: 2 },
      begin: { type: 'sequence', field: 'x', table: 't', maxLength: 2, keep: 'first' },
    },
    [{ x: [['a', 'b', 'c', 'd']] }],
  );
  const words = wordsOf(set.get('first'));
  const kept = set.encode([['a', 'b', 'c', 'd']]).map((column) => rowsOf(column)[0] as number[]);
  assert.deepEqual(
    kept.map((ids) => ids.map((id) => words[id - 1])),
    [
      ['a', 'b'],
      ['c', 'd'],
      ['a', 'b'],
    ],
  );
});

test('lists of integers that TensorFlow padded with 0 are as the lists themselves, unless 0 is an item', async () => {
  const spec: FeatureSpecs = { x: { type: 'sequence', of: 'integer' } };
  const without = await learnFeatures(spec, [{ x: [[5, 6], [7]] }]);
  assert.deepEqual(without.encode([[5, 0, 0]]), without.encode([[5]]));
  const within = await learnFeatures(spec, [{ x: [[5, 0], [7]] }]);
  assert.equal((rowsOf(within.encode([[5, 0, 0]])[0]!)[0] as number[]).length, 3);
});

test('one error has the first ten values that do not fit, with rows and features', async () => {
  const specs: FeatureSpecs = {
    price: { type: 'number' },
    title: { type: 'text' },
    at: { type: 'time', part: 'hour' },
  };
  const set = await learnFeatures(specs, [{ price: [1, 2], title: ['a', 'b'], at: [0, 1] }]);
  const rows = Array.from({ length: 8 }, (_, i) => ({
    price: i % 2 ? 'cheap' : 1,
    title: i < 5 ? i : 'x',
    at: i === 7 ? 'noon' : i,
  }));
  const wrong = (error: unknown): boolean => {
    assert.ok(error instanceof FeatureError);
    assert.match(
      error.message,
      /^features: expected values that fit the spec, got 10 that do not fit: title in row 0: /,
    );
    assert.match(error.message, /; price in row 7: expected a number, got "cheap"; at in row 7: expected a time/);
    assert.equal(error.mismatches.length, 10);
    return true;
  };
  assert.throws(() => set.encode(rows), wrong);
  const learner = new FeatureLearner(specs);
  assert.throws(() => {
    for (const row of rows) learner.add({ price: [row.price], title: [row.title], at: [row.at] });
  }, wrong);
  const many = Array.from({ length: 25 }, () => ({ price: null, title: 'x', at: 0 }));
  assert.throws(
    () => set.encode(many, { firstRow: 100 }),
    /price in row 109: expected a number, got null; and 15 more$/,
  );
});

test('a feature that is missing in all rows is named, with the column like it', async () => {
  const specs: FeatureSpecs = { price: { type: 'number' }, genres: { type: 'bag', missing: 'own', weights: 'shares' } };
  await assert.rejects(
    () => learnFeatures(specs, [{ prices: [1], genres: [['a']], shares: [[1]] }]),
    /^FeatureError: features: price: expected a column "price" in the data, got none; nearest is "prices"$/,
  );
  await assert.rejects(() => learnFeatures(specs, []), /got 2 that do not fit: price: .*; genres: expected a column/);
  const set = await learnFeatures(specs, [{ price: [1], genres: [['a']], shares: [[1]] }]);
  assert.throws(
    () => set.encodeColumns({ prize: [1] }),
    /price: expected a column "price", got none; nearest is "prize"/,
  );
  assert.throws(
    () => set.encodeColumns({ price: [1], genres: [] }),
    /genres: expected 1 rows in column "genres", got 0/,
  );
  assert.throws(() => set.encode([{ prize: 3 }]), /price in row 0: expected a value for "price", got one for "prize"/);
  // A value that may be missing is not missing where its name has a typing error.
  assert.throws(() => set.encode([{ price: 3, gernes: ['a'] }]), /genres in row 0: .*got one for "gernes"/);
  assert.throws(() => set.encode([7]), /features in row 0: expected an object, got 7/);
  set.encode([{ price: 3, price_currency: 'EUR', constructor: 1 }]);
  const named = await learnFeatures({ constructor: { type: 'string' } } as FeatureSpecs, [{ constructor: ['x'] }]);
  assert.throws(() => named.encode([{}]), /constructor in row 0: expected a string, got none/);
});

test('a spec that contradicts itself is refused by name', () => {
  const refused: readonly (readonly [unknown, RegExp])[] = [
    [null, /features: expected an object of features by name, got null/],
    [{}, /features: expected at least one, got none/],
    [{ a: 5 }, /features.a.type: expected one of string, integer, .*, got none/],
    [{ a: { type: 'sting' } }, /features.a.type: expected a known type, nearest is string, got "sting"/],
    [{ a: { type: 'constructor' } }, /features.a.type: expected/],
    [
      { a: { type: 'string', minCuont: 2 } },
      /features.a: expected a known option, nearest is minCount, got "minCuont"/,
    ],
    [{ a: { type: 'string', minCount: '2' } }, /minCount: expected a number as an option of features.a, got "2"/],
    [{ a: { type: 'string', minCount: 0 } }, /features.a.minCount: expected an integer from 1/],
    [
      { a: { type: 'string', numBins: 9, maxTokens: 5 } },
      /features.a.maxTokens: expected none together with numBins, got 5/,
    ],
    [{ a: { type: 'bag', recencyDecay: 0.5 } }, /recencyDecay: expected none for a bag/],
    [{ a: { type: 'sequence', recencyDecay: 0 } }, /recencyDecay: expected a number above 0, got 0/],
    [{ a: { type: 'sequence', recencyDecay: 1.5 } }, /recencyDecay: expected a number from 0 to 1, got 1.5/],
    [{ a: { type: 'number', numBins: 5 } }, /numBins: expected none without transform: 'quantiles', got 5/],
    [{ a: { type: 'number', transform: 'logs' } }, /transform: expected one of normalize, log, quantiles, none/],
    [{ a: { type: 'time' } }, /part: expected a string as an option of features.a, got none/],
    [{ a: { type: 'time', part: 'hour', now: 'b' } }, /now: expected none with part: 'hour', got "b"/],
    [{ a: { type: 'text', characterNgrams: [3] } }, /characterNgrams: expected \[shortest, longest\].*, got \[3\]/],
    [{ a: { type: 'vector' } }, /length: expected a number as an option of features.a, got none/],
    [{ a: { type: 'vector', length: 3, table: 'x' } }, /features.a: expected .*got "table"/],
  ];
  for (const [spec, words] of refused) {
    assert.throws(
      () => checkFeatureSpecs(spec),
      (error) => error instanceof OptionError && words.test(error.message),
      `${JSON.stringify(spec)} ${words}`,
    );
  }
});

test('an age is against the time of the call', async () => {
  const set = await learnFeatures({ at: { type: 'time', part: 'age', unit: 'milliseconds' } }, [
    { at: [0, 86_400_000] },
  ]);
  const age = (nowMs?: number): number =>
    (rowsOf(set.encode([0], nowMs === undefined ? {} : { nowMs })[0]!)[0] as number[])[0]!;
  assert.ok(age(86_400_000 * 30) > age(86_400_000 * 2));
  assert.equal(age(), age(86_400_000));
  assert.equal(age(-5), age(0), 'a time after now has the age 0');
  set.clock = () => 86_400_000 * 9;
  assert.equal(age(), age(86_400_000 * 9));
});

test('tokens: words, n-grams in the order of Keras, and characters that are not cut in two', () => {
  const plain = { ngrams: 1, characterNgrams: undefined };
  assert.deepEqual(tokensOf('Foo BAR, baz!', { ...plain, ngrams: 2 }), ['foo', 'bar', 'baz', 'foo bar', 'bar baz']);
  assert.deepEqual(tokensOf('ＦＯＯ naïve don’t 3D', plain), ['foo', 'naïve', 'dont', '3d']);
  assert.deepEqual(tokensOf('𝒳𐐷', { ngrams: 1, characterNgrams: [3, 3] }), ['x𐐷', '#<x𐐷', '#x𐐷>']);
  assert.deepEqual(tokensOf('…', { ngrams: 9, characterNgrams: [1, 1e9] }), []);
});

test('quantiles of more numbers than the sample holds are within its bound', async () => {
  const numbers = Array.from({ length: 200_000 }, (_, i) => ((i * 7919) % 200_000) / 200_000);
  const spec: FeatureSpecs = { x: { type: 'number', transform: 'quantiles', numBins: 10 } };
  const learn = (seed: number): Promise<FeatureSet> => learnFeatures(spec, [{ x: numbers }], { seed });
  const set = await learn(1);
  const shares = new Float64Array(10);
  for (const id of rowsOf(set.encode(numbers)[0]!) as number[]) shares[id]! += 1 / numbers.length;
  // Each of the two boundaries of a bucket is right within .01; the largest error of a share is .0015.
  for (const share of shares) assert.ok(Math.abs(share - 0.1) < 0.02, `${shares}`);
  assert.deepEqual(set.save(), (await learn(1)).save());
  assert.deepEqual([...boundariesOf(Float64Array.of(1, 1, 1, 1, 2), 4)], [1]);
});

test('whatever was learned is in the vocabulary, in any order of the rows', async () => {
  const word = anyText({ minLength: 1, maxLength: 5 });
  const rows = fc.array(
    fc.record({ s: word, l: fc.array(word, { maxLength: 4 }), t: fc.string(), i: fc.maxSafeInteger() }),
    {
      minLength: 1,
      maxLength: 12,
    },
  );
  const specs: FeatureSpecs = {
    s: { type: 'string', table: 'words' },
    l: { type: 'sequence', table: 'words', maxLength: 3 },
    t: { type: 'text', characterNgrams: [2, 3] },
    i: { type: 'integer' },
  };
  await fc.assert(
    fc.asyncProperty(rows, fc.nat(), async (list, turn) => {
      const columns = (of: typeof list): Record<string, unknown[]> =>
        Object.fromEntries(Object.keys(specs).map((key) => [key, of.map((row) => row[key as 's'])]));
      const known = list.filter(({ s }) => s !== '[UNK]');
      if (known.length === 0) return;
      const set = await learnFeatures(specs, [columns(known)]);
      for (const row of known) {
        const [s, l, , i] = set.encode([row]);
        assert.ok((rowsOf(s!)[0] as number) > 0 && (rowsOf(i!)[0] as number) > 0);
        assert.ok((rowsOf(l!)[0] as number[]).every((id, at) => id > 0 || row.l.slice(-3)[at] === '[UNK]'));
      }
      assert.ok(!(rowsOf(set.encode(known)[2]!) as number[][]).flat().includes(0));
      const at = turn % known.length;
      const turned = await learnFeatures(specs, [columns(known.slice(at)), columns(known.slice(0, at).toReversed())]);
      assert.deepEqual(turned.save(), set.save());
    }),
    { seed: 11, numRuns: 40 },
  );
});

test('the type of a row is inferred from the specs', async () => {
  const features = await learnFeatures(
    {
      name: { type: 'string' },
      age: { type: 'number', missing: 'own' },
      likes: { type: 'bag', of: 'integer', weights: 'shares', field: 'items' },
    },
    [{ name: ['a'], age: [1], items: [[1, 2]], shares: [[1, 1]] }],
  );
  const tower = Tower.create({ features, dense: [2], runtime });
  const row: Parameters<typeof tower.embed>[0][number] = { name: 'a', items: [1, 2n], shares: [0.5, 2] };
  assert.equal(tower.embed([row, { ...row, age: null }, { ...row, age: 7 }]).rows, 3);
  // @ts-expect-error: a number is no name
  assert.throws(() => tower.embed([{ ...row, name: 5 }]), /name in row 0: expected a string, got 5/);
  // @ts-expect-error: the items are missing
  assert.throws(() => tower.embed([{ name: 'a', age: 7, shares: [1] }]), /likes in row 0/);
  const { queryTower } = createTowers({
    queryTower: { features: features.pick(['name']), dense: [2] },
    candidateTower: { features: features.pick(['age']), dense: [2] },
  });
  assert.equal(queryTower.embed([{ name: 'b' }]).rows, 1);
  // The inputs of a spec of strings alone are features, not words.
  const [input] = queryTower.inputs;
  assert.equal(input!.feature!.name, 'name');
  // @ts-expect-error: a feature of a spec has no lookup of its own
  assert.throws(() => input!.lookup.size);
  // @ts-expect-error: the tower has no feature that reads items
  const other: Parameters<typeof queryTower.embed>[0][number] = { name: 'a', items: [] };
  assert.ok(other);
});
