/** FactorizedTopK: TFRS's golden figures, its faults mended, weights, ties, clamped ks, and the work it does. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FactorizedTopK } from '../../src/metrics/factorized-top-k.ts';
import { BruteForce } from '../../src/topk/brute-force/brute-force.ts';
import type { CandidateBatch, Identifier, TopK } from '../../src/topk/contract.ts';
import { recallOf } from '../../src/topk/recall.ts';
import { ScaNN } from '../../src/topk/scann/scann.ts';
import { Streaming } from '../../src/topk/streaming/streaming.ts';
import { bestRows, normalRows } from '../conformance/oracle.ts';
import { batches } from '../conformance/top-k.case.ts';
import { golden } from '../golden/golden.ts';

interface MetricGolden {
  candidates: number[][];
  queries: number[][];
  sample_weight: number[];
  true_index: number[];
  ks: number[];
  weighted: number[];
  unweighted: number[];
  in_top_k: { pred: (number | 'NaN' | 'Infinity')[]; k: number; out: boolean }[];
}

const facts = golden<MetricGolden>('factorized-top-k');
const near = (actual: number | undefined, expected: number): void => {
  assert.ok(actual !== undefined && Math.abs(actual - expected) <= 1e-6, `expected ${expected}, got ${actual}`);
};
const named = (k: number): string => `factorized_top_k/top_${k}_categorical_accuracy`;

test("TFRS's golden accuracies, from an index, a data set or embeddings, by identifiers and by scores", async () => {
  for (const identifiers of [facts.candidates.map((_, row) => `item ${row}`), undefined]) {
    const parts: CandidateBatch<Identifier>[] = batches<Identifier>(facts.candidates, identifiers, 32);
    const sources = [
      await new BruteForce<never, Identifier>({}).indexFromDataset(parts),
      await new Streaming<never, Identifier>({}).indexFromDataset(parts),
      parts,
      () => parts,
      ...(identifiers ? [] : [facts.candidates]),
    ];
    for (const candidates of sources) {
      for (const matchBy of [undefined, 'identifiers', 'scores'] as const) {
        for (const weighted of [true, false]) {
          const metric = new FactorizedTopK<Identifier>({ candidates, ks: facts.ks, matchBy });
          metric.update(facts.queries, {
            trueIdentifiers: facts.true_index.map((row) => identifiers?.[row] ?? row),
            trueEmbeddings: facts.true_index.map((row) => facts.candidates[row]!),
            sampleWeight: weighted ? facts.sample_weight : undefined,
          });
          const expected = weighted ? facts.weighted : facts.unweighted;
          facts.ks.forEach((k, i) => {
            near(metric.result()[named(k)], expected[i]!);
          });
        }
      }
    }
  }
});

test('in_top_k facts: ties are hits, what is not finite is not', () => {
  for (const { pred, k, out } of facts.in_top_k) {
    const [positive, ...others] = pred.map((score) => (score === 'Infinity' ? 1e30 : score));
    if (pred.includes('NaN')) continue;
    const scale = pred.includes('Infinity') ? 1e30 : 1;
    const metric = new FactorizedTopK({ candidates: others.map((score) => [Number(score)]), ks: [k] });
    metric.update([[scale]], { trueEmbeddings: [[Number(positive)]] });
    assert.equal(metric.result()[named(k)], out ? 1 : 0, JSON.stringify({ pred, k }));
  }
});

test('the truth that is the exact best is always found, by either way (TFRS: .88, .68, .61)', () => {
  for (const d of [4, 32, 128]) {
    const candidates = normalRows(500, d, d, 'candidates');
    const queries = normalRows(200, d, d, 'queries');
    const best = queries.map((query) => bestRows(query, candidates, 1)[0]!.row);
    for (const matchBy of ['identifiers', 'scores'] as const) {
      const metric = new FactorizedTopK<Identifier>({ candidates, ks: [1, 10], matchBy });
      metric.update(queries, { trueIdentifiers: best, trueEmbeddings: best.map((row) => candidates[row]!) });
      assert.equal(metric.result()[named(1)], 1, `d = ${d}, by ${matchBy}`);
    }
  }
});

test('it equals counting over single calls', () => {
  const candidates = normalRows(1280, 128, 42, 'candidates');
  const queries = normalRows(128, 128, 42, 'queries');
  const truths = queries.map((_, b) => (b * 10) % 1280);
  const index = new BruteForce<never, number>({ k: 100 }).index(candidates);
  const metric = new FactorizedTopK<number>({ candidates: index, ks: [100] });
  for (let begin = 0; begin < 128; begin += 32) {
    metric.update(queries.slice(begin, begin + 32), { trueIdentifiers: truths.slice(begin, begin + 32) });
  }
  const hits = queries.filter((query, b) =>
    (index as unknown as TopK<ArrayLike<number>, number>).call(query).identifiers().includes(truths[b]!),
  ).length;
  assert.equal(metric.result()[named(100)], hits / 128);
});

test('equal queries are asked once, whatever their truths', () => {
  const candidates = normalRows(300, 8, 1, 'candidates');
  const users = normalRows(40, 8, 1, 'users');
  const rows = Array.from({ length: 1000 }, (_, b) => users[(b * 7) % 40]!);
  const truths = rows.map((_, b) => (b * 13) % 300);
  const metric = new FactorizedTopK<number>({ candidates, ks: [1, 50] });
  metric.update(rows, { trueIdentifiers: truths });
  assert.equal(metric.queriesAsked, 40);
  const hits = rows.filter((query, b) => bestRows(query, candidates, 50).some(({ row }) => row === truths[b])).length;
  assert.equal(metric.result()[named(50)], hits / 1000);
});

test('ks above N are clamped and said; nothing computed, nothing reported; reset forgets', () => {
  const metric = new FactorizedTopK<number>({ candidates: [[1], [2], [3]], ks: [1, 5], name: 'val' });
  assert.deepEqual(metric.result(), {});
  assert.deepEqual(metric.effectiveKs, []);
  metric.update([[1]], { trueIdentifiers: [0], sampleWeight: [0] });
  assert.deepEqual(metric.result(), {});
  metric.update([[1], [-1]], { trueIdentifiers: [0, 0] });
  assert.deepEqual(metric.result(), {
    'val/top_1_categorical_accuracy': 0.5,
    'val/top_5_categorical_accuracy': 1,
  });
  assert.deepEqual(metric.effectiveKs, [1, 3]);
  metric.reset();
  assert.deepEqual(metric.result(), {});
});

test('ties: by scores every tie is a hit, by identifiers the earlier rows are', () => {
  const candidates = Array.from({ length: 10 }, () => [0]);
  const byScores = new FactorizedTopK<number>({ candidates, ks: [1] });
  byScores.update([[1]], { trueEmbeddings: [[0]] });
  assert.equal(byScores.result()[named(1)], 1);
  const byIdentifiers = new FactorizedTopK<number>({ candidates, ks: [1, 5] });
  byIdentifiers.update([[1], [2]], { trueIdentifiers: [4, 5] });
  assert.deepEqual(Object.values(byIdentifiers.result()), [0, 0.5]);
});

test('an async data set needs updateAsync', async () => {
  const candidates = async function* (): AsyncGenerator<CandidateBatch<string>> {
    yield [
      ['a', 'b'],
      [[1], [2]],
    ];
  };
  const metric = new FactorizedTopK<string>({ candidates, ks: [1] });
  await metric.updateAsync([[1]], { trueIdentifiers: ['b'] });
  assert.throws(() => metric.update([[1]], { trueIdentifiers: ['b'] }), { code: 'ERR_STATE' });
  assert.equal(metric.result()[named(1)], 1);
});

test('bad input is named and counts nothing', () => {
  const metric = new FactorizedTopK<string>({
    candidates: [
      [
        ['a', 'b'],
        [[1], [2]],
      ],
    ],
    ks: [1],
  });
  const index = new BruteForce<never, string>({}).index([[1]], ['a']);
  index.isExact = () => false;
  const inexact = new FactorizedTopK<string>({ candidates: index, ks: [1] });
  assert.throws(() => inexact.update([[1]], { trueEmbeddings: [[1]] }), {
    code: 'ERR_OPTION',
    message: /not return exact/,
  });
  assert.throws(() => metric.update([[1]], {}), { code: 'ERR_OPTION' });
  assert.throws(() => metric.update([[1]], { trueIdentifiers: ['a', 'b'] }), { code: 'ERR_SHAPE' });
  assert.throws(() => metric.update([[1]], { trueIdentifiers: [1 as never] }), { code: 'ERR_IDENTIFIER' });
  assert.throws(() => metric.update([[1]], { trueEmbeddings: [[1, 2]] }), { code: 'ERR_SHAPE' });
  assert.throws(() => metric.update([[1]], { trueIdentifiers: ['a'], sampleWeight: [-1] }), { code: 'ERR_NOT_FINITE' });
  assert.throws(() => metric.update([[Number.NaN]], { trueIdentifiers: ['a'] }), { code: 'ERR_NOT_FINITE' });
  assert.throws(() => new FactorizedTopK({ candidates: [[1]], ks: [0] }), { code: 'ERR_OPTION' });
  assert.throws(() => new FactorizedTopK({ candidates: [[1]], ks: [] }), { code: 'ERR_OPTION' });
  assert.deepEqual(metric.result(), {});
});

test('through an approximate index: its own recall on a sample stands beside the accuracy, and only there', () => {
  const rows = normalRows(3000, 8, 1);
  const queries = normalRows(100, 8, 2);
  const index = new ScaNN<never, number>({ tree: 'always', numLeaves: 40, numLeavesToSearch: 3 }).index(rows);
  const exact = index.call(queries as never, { k: 10, exact: true });
  const found = index.call(queries as never, 10);
  const truth = { trueIdentifiers: queries.map((_, b) => exact.rowsOf(b)[b % 10]!) };
  const measure = (recallSampleSize?: number, updates = 1): Record<string, number> => {
    const metric = new FactorizedTopK<number>({
      candidates: index,
      ks: [1, 10],
      ...(recallSampleSize === undefined ? {} : { recallSampleSize }),
    });
    for (const _ of [0, 1]) {
      metric.reset();
      for (let i = 0; i < updates; i++) metric.update(queries, truth);
    }
    return metric.result();
  };
  near(measure(100)['factorized_top_k/top_10_index_recall'], recallOf(found, exact));
  near(measure(150, 2)['factorized_top_k/top_10_index_recall'], (recallOf(found, exact) * 100 + 50 * sampled(2)) / 150);
  near(measure(25)['factorized_top_k/top_10_index_recall'], sampled(4));
  assert.ok(Math.abs(measure()['factorized_top_k/top_10_index_recall']! - recallOf(found, exact)) < 0.1);
  assert.ok(!('factorized_top_k/top_10_index_recall' in measure(0)));
  near(measure(0)[named(10)], measure(100)[named(10)]!);
  const whole = new FactorizedTopK<number>({ candidates: new BruteForce<never, number>().index(rows), ks: [1] });
  whole.update(queries, truth);
  assert.deepEqual(Object.keys(whole.result()), [named(1)]);
  assert.throws(() => new FactorizedTopK({ candidates: index, recallSampleSize: -1 }), { code: 'ERR_OPTION' });

  /** Recall over every `step`-th query. */
  function sampled(step: number): number {
    let shared = 0;
    for (let b = 0; b < 100; b += step) {
      shared += [...found.rowsOf(b)].filter((row) => exact.rowsOf(b).includes(row)).length;
    }
    return shared / (10 * Math.ceil(100 / step));
  }
});
