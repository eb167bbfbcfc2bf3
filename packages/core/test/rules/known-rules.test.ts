/**
 * Rules with known results: values, the numbers of marginal relevance, wrong arguments, and the number of retrievals.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { callWithRules } from '../../src/rules/call-with-rules.ts';
import type { Rules } from '../../src/rules/contract.ts';
import { MarginalRelevance } from '../../src/rules/marginal-relevance.ts';
import { BruteForce } from '../../src/topk/brute-force/brute-force.ts';
import { ScaNN } from '../../src/topk/scann/scann.ts';

/** `count` candidates c0, c1, … of falling score for the query [1, 0]. */
function falling(count: number): BruteForce<ArrayLike<number>, string> {
  const rows = Array.from({ length: count }, (_, row) => row);
  const index = new BruteForce<ArrayLike<number>, string>();
  return index.index(
    rows.map((row) => [count - row, 1]),
    rows.map((row) => `c${row}`),
  );
}

const query = [1, 0];

test('at most so many of a value: a list counts for each of its values, no value counts for none', () => {
  const index = falling(7);
  const genre = [['a', 'b'], 'a', ['b', 'b'], 'a', null, ['c', 'a'], []];
  const found = (perValue: Rules<string>['perValue']): string[] =>
    callWithRules(index, query, { perValue, attributes: { genre } }, { k: 5 }).identifiers();
  assert.deepEqual(found({ genre: 1 }), ['c0', 'c4', 'c6']);
  assert.deepEqual(found({ genre: 2 }), ['c0', 'c1', 'c2', 'c4', 'c6']);
  assert.deepEqual(found({}), ['c0', 'c1', 'c2', 'c3', 'c4']);
});

test('pinned candidates come first in their order; what takes away wins over them', () => {
  const index = falling(6);
  const genre = ['a', 'b', 'a', 'b', 'a', 'b'];
  const found = (rules: Rules<string>, options: object = {}): string[] =>
    callWithRules(index, query, { attributes: { genre }, ...rules }, { k: 4, ...options }).identifiers();
  assert.deepEqual(found({ pin: ['c5', 'nobody', 'c3', 'c5'] }), ['c5', 'c3', 'c0', 'c1']);
  assert.deepEqual(found({ pin: ['c5', 'c3'], block: ['c3', 'c0'] }), ['c5', 'c1', 'c2', 'c4']);
  assert.deepEqual(found({ pin: ['c5', 'c3'] }, { exclude: ['c5'] }), ['c3', 'c0', 'c1', 'c2']);
  assert.deepEqual(found({ pin: ['c5', 'c3'] }, { include: ['c3', 'c4'] }), ['c3', 'c4']);
  assert.deepEqual(found({ pin: ['c5', 'c3'], perValue: { genre: 1 } }), ['c5', 'c0']);
  assert.deepEqual(found({ pin: ['c5', 'c4', 'c3', 'c2', 'c1'] }), ['c5', 'c4', 'c3', 'c2']);
  // A pinned candidate stands first whatever its score; of the others the threshold leaves two.
  const { scores } = callWithRules(index, query, { pin: ['c5'], scoreThreshold: 5 }, { k: 4 });
  assert.deepEqual([...scores], [1, 6, 5]);
  assert.deepEqual(found({ scoreThreshold: 100 }), []);
});

test('marginal relevance: the figures of its formula, for each measure', () => {
  const unit = { weight: 0.5, queryLength: 2 };
  const vectors = [Float32Array.of(4, 0), Float32Array.of(3, 4), Float32Array.of(0, 0)];
  const dots = new MarginalRelevance({ ...unit, measure: 'dot_product' }, { scores: [8, 6, 0], vectors });
  // 8 / (2 · 5), 6 / (2 · 5): the longest vector is [3, 4].
  assert.deepEqual([dots.of(0), dots.of(1), dots.of(2)], [0.4, 0.3, 0]);
  dots.chosen(vectors[0]!);
  // Cosine of [3, 4] with [4, 0]: 12 / 20; of nothing with anything: 0.
  assert.deepEqual([dots.of(1), dots.of(2)], [0.5 * 0.6 - 0.5 * 0.6, 0]);
  const cosines = new MarginalRelevance({ ...unit, measure: 'cosine' }, { scores: [1, 0.6, 0], vectors });
  cosines.chosen(vectors[0]!);
  assert.equal(cosines.of(1), 0.5 * 0.6 - 0.5 * 0.6);
  const squared = new MarginalRelevance({ ...unit, measure: 'squared_l2' }, { scores: [0, -17, -16], vectors });
  squared.chosen(vectors[0]!);
  assert.deepEqual([squared.of(1), squared.of(2)], [0.5 * -17 + 0.5 * 17, 0.5 * -16 + 0.5 * 16]);
});

test('marginal relevance passes over what is like a result; with weight 1 the order is that of the scores', () => {
  const index = new ScaNN<ArrayLike<number>, string>({ tree: 'never', distanceMeasure: 'cosine' });
  const rows = [
    [10, 0.1],
    [9, 0.2],
    [6, 6],
    [0.5, -0.6],
  ];
  index.index(rows, ['near', 'nearly the same', 'above', 'below']);
  const found = (weight: number): string[] => callWithRules(index, query, { mmr: { weight } }, { k: 3 }).identifiers();
  assert.deepEqual(found(1), ['near', 'nearly the same', 'above']);
  assert.deepEqual(found(0.3), ['near', 'below', 'above']);
  // Chosen from the two best only.
  const few = callWithRules(index, query, { mmr: { weight: 0.5, candidates: 2 } }, { k: 2 });
  assert.deepEqual(few.identifiers(), ['near', 'nearly the same']);
});

test('few retrievals give k results, however deep they lie', () => {
  const count = 20_000;
  const index = falling(count);
  let calls = 0;
  let candidates = 0;
  const counted = new Proxy(index, {
    get(target, name) {
      if (name === 'call') {
        return (...given: Parameters<typeof index.call>) => {
          const result = target.call(...given);
          calls++;
          candidates += result.counts[0]!;
          return result;
        };
      }
      const value: unknown = Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  // All but the last ten are dramas: one retrieval finds that dramas are full, the next leaves them out.
  const genre = Array.from({ length: count }, (_, row) => (row < count - 10 ? 'drama' : `g${row}`));
  const deep = callWithRules(counted, query, { perValue: { genre: 1 }, attributes: { genre } }, { k: 10 });
  assert.deepEqual([...deep.rowsOf()], [0, ...Array.from({ length: 9 }, (_, i) => count - 10 + i)]);
  assert.deepEqual([calls, candidates], [2, 50]);
  // Each retrieval meets one more value alone: they grow, so that there are fewer than results.
  [calls, candidates] = [0, 0];
  const blocks = Array.from({ length: count }, (_, row) => Math.floor(row / 200));
  const many = callWithRules(counted, query, { perValue: { block: 1 }, attributes: { block: blocks } }, { k: 100 });
  assert.deepEqual(
    [...many.rowsOf()],
    Array.from({ length: 100 }, (_, i) => 200 * i),
  );
  assert.ok(calls <= Math.log2(count / 100) + 2, `${calls} retrievals`);
  assert.ok(candidates <= 3 * count, `${candidates} candidates`);
  // Fewer results than asked for: the search ends when the candidates do.
  [calls, candidates] = [0, 0];
  const two = Array.from({ length: count }, (_, row) => row % 2);
  const all = callWithRules(counted, query, { perValue: { two: 3 }, attributes: { two } }, { k: 50 });
  assert.equal(all.counts[0], 6);
  assert.deepEqual([calls, candidates], [2, 200]);
  [calls, candidates] = [0, 0];
  // A first search that is deep enough is the only one.
  callWithRules(counted, query, { perValue: { two: 5 }, attributes: { two } }, { k: 10 });
  assert.deepEqual([calls, candidates], [1, 40]);
  [calls, candidates] = [0, 0];
  callWithRules(counted, query, { block: ['c0'], scoreThreshold: count - 3, pin: ['c9'] }, { k: 10 });
  assert.deepEqual([calls, candidates], [2, 11]);
});

test('what is unknown or out of range is refused, with the nearest name', () => {
  const index = falling(3);
  const attributes = { genre: ['a', 'b', null], year: [1, 2, 3] };
  const cases: [object, RegExp][] = [
    [{ perValue: { genres: 3 } }, /perValue: expected a known attribute, nearest is genre, got "genres"/],
    [{ perValue: { toString: 3 } }, /perValue: expected one of the attributes genre, year, got "toString"/],
    [{ perValue: { genre: 0 } }, /perValue\.genre: expected an integer/],
    [{ perValue: { genre: '3' } }, /perValue\.genre: expected a number of results, got "3"/],
    [{ perValues: { genre: 3 } }, /rules: expected a known option, nearest is perValue, got "perValues"/],
    [{ mmr: { weight: 1.5 } }, /mmr\.weight: expected a number .*1/],
    [{ mmr: {} }, /weight: expected a number as an option of mmr, got none/],
    [{ mmr: { weight: 0.5, candidate: 9 } }, /mmr: expected a known option, nearest is candidates/],
    [{ mmr: { weight: 0.5, candidates: 0 } }, /mmr\.candidates: expected an integer/],
    [{ scoreThreshold: Number.NaN }, /scoreThreshold: expected a number/],
    [{ pin: 'c0' }, /pin: expected a list/],
    [{ block: [7] }, /string.*7/],
  ];
  for (const [rules, message] of cases) {
    assert.throws(() => callWithRules(index, query, { attributes, ...rules } as Rules<string>, { k: 2 }), { message });
  }
  assert.throws(() => callWithRules(index, query, { perValue: { genre: 1 } }), {
    message: 'perValue: expected an attribute of `attributes`, which is empty, got "genre"',
  });
  assert.throws(() => callWithRules(index, query, { perValue: { x: 1 }, attributes: { x: ['a'] } }), {
    code: 'ERR_SHAPE',
    message: 'attributes.x: expected 3 values, one per row, got 1',
  });
  assert.throws(() => callWithRules(index, query, {}, { k: 2, exclud: ['c0'] } as object), { message: /exclude/ });
  assert.throws(() => callWithRules(index, query, {}, { exclude: [['c0'], ['c1']] }), { code: 'ERR_SHAPE' });
});
