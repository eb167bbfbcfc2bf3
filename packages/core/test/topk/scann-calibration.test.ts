/**
 * A build that measures itself: its settings reach the recall, are the same for any number of threads, and are reported
 * and saved.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { bundleFromBytes, bundleToBytes } from '../../src/bundle/bundle.ts';
import { saveIndex } from '../../src/bundle/registry.ts';
import { Runtime } from '../../src/parallel/runtime.ts';
import { recallOf } from '../../src/topk/recall.ts';
import { leastInteger } from '../../src/topk/scann/calibration/least-integer.ts';
import type { ScannOptions } from '../../src/topk/scann/options.ts';
import { ScaNN } from '../../src/topk/scann/scann.ts';
import { autopilot } from '../../src/tuning/autopilot.ts';
import { normalRows } from '../conformance/oracle.ts';

const N = 5_000;
const D = 32;
/** Points about centres whose spread falls with the dimension, some three times as long as others. */
const centres = normalRows(300, D, 1);
const spread = (row: Float32Array, i: number): Float32Array =>
  row.map((x, t) => (1 + (i % 3)) * (centres[i % 300]![t]! + (0.8 * x) / (1 + t / 8)));
const points = normalRows(N + 500, D, 2).map(spread);
const rows = points.slice(0, N);
const fresh = points.slice(N);

type Options = ScannOptions<ArrayLike<number>>;
function built(options: Options, threads = 2): ScaNN<ArrayLike<number>, number> {
  const index = new ScaNN<ArrayLike<number>, number>({
    ...autopilot(N, D),
    // So few rows have leaves only if that is said.
    tree: 'always',
    trainingIterations: 2,
    ...options,
    runtime: new Runtime({ threads }),
  });
  return index.index(rows);
}

for (const distanceMeasure of ['dot_product', 'cosine', 'squared_l2'] as const) {
  test(`settings that miss .95 by far, to either side, are corrected to it: ${distanceMeasure}`, () => {
    const low = { numLeavesToSearch: 1, numReorderingCandidates: 10 };
    const high = { numLeavesToSearch: 200, numReorderingCandidates: 600 };
    for (const guess of distanceMeasure === 'cosine' ? [low] : [low, high]) {
      const index = built({ ...guess, distanceMeasure });
      const recall = recallOf(index.call(fresh), index.callExactly(fresh));
      // Measured: .947 to .956 on 500 fresh queries.
      assert.ok(recall > 0.93 && recall < 0.98, `${recall}`);
      const { measured, notes, settings } = index.stats();
      assert.ok(measured && measured.recall >= 0.95 && measured.queries >= 50 && measured.k === 10);
      assert.equal(settings.numLeavesToSearch, measured.numLeavesToSearch);
      assert.equal(settings.numReorderingCandidates, measured.numReorderingCandidates);
      assert.equal(settings.tunedK, 10);
      assert.match(
        notes.join(),
        /recall@10 0\.9\d\d was measured with \d+ of the candidates as queries, the target is 0\.95/,
      );
      index.free();
    }
  });
}

test('the same seed gives the same settings for any number of threads', () => {
  const [one, three] = [built({}, 1), built({}, 3)];
  assert.deepEqual(one.stats().measured, three.stats().measured);
  assert.deepEqual(saveIndex(one), saveIndex(three));
  assert.notDeepEqual(built({ seed: 7 }).stats().measured, one.stats().measured);
});

test('what was measured is saved and loaded, and measured again when the index is rebalanced', async () => {
  const index = built({ targetRecall: 0.9 });
  const { measured } = index.stats();
  const { index: loaded } = await bundleFromBytes<ArrayLike<number>, number>(bundleToBytes({ index }));
  assert.ok(loaded instanceof ScaNN);
  assert.deepEqual(loaded.stats().measured, measured);
  assert.deepEqual(loaded.settings, index.settings);
  assert.deepEqual(loaded.call(fresh).scores, index.call(fresh).scores);
  loaded.delete(Array.from({ length: 3000 }, (_, i) => i));
  await loaded.rebalance();
  assert.notDeepEqual(loaded.stats().measured, measured);
  assert.equal(loaded.stats().measured?.targetRecall, 0.9);
});

test('without a recall to reach, without leaves, and under an old index nothing is measured', () => {
  const { targetRecall: _, ...sized } = autopilot(N, D);
  const unmeasured = new ScaNN({
    ...sized,
    tree: 'always',
    trainingIterations: 2,
    runtime: new Runtime({ threads: 1 }),
  }).index(rows);
  assert.equal(unmeasured.stats().measured, undefined);
  assert.equal(unmeasured.settings.numLeavesToSearch, sized.numLeavesToSearch);
  assert.equal(JSON.stringify(saveIndex(unmeasured)).includes('calibration'), false);
  assert.equal(built({ tree: 'never' }).stats().measured, undefined);
  assert.throws(() => new ScaNN({ targetRecall: 1.5 }), { code: 'ERR_OPTION' });
});

test('few candidates, equal candidates, and a k of nearly all of them are measured, too', () => {
  const how = { tree: 'always', numLeaves: 4, targetRecall: 0.95, runtime: new Runtime({ threads: 1 }) } as const;
  assert.ok(new ScaNN({ ...how, k: 40 }).index(rows.slice(0, 41)).stats().measured);
  assert.ok(new ScaNN(how).index(Array.from({ length: 500 }, () => rows[0]!)).stats().measured);
  assert.ok(new ScaNN({ ...how, targetRecall: 1 }).index(rows.slice(0, 500)).stats().measured!.recall > 0.99);
});

test('the least integer that reaches a target, within a step, from any first guess', () => {
  const numbers = fc.record({
    min: fc.integer({ min: 1, max: 50 }),
    width: fc.integer({ min: 0, max: 3000 }),
    from: fc.integer({ min: 1, max: 4000 }),
    least: fc.integer({ min: 1, max: 4000 }),
    step: fc.constantFrom(1, 1.07, 1.2),
    power: fc.constantFrom(0.3, 1, 2),
    // A jump at the least integer is no power law; a plateau has no slope.
    shape: fc.constantFrom('power', 'jump'),
  });
  let powers = 0;
  let runs = 0;
  fc.assert(
    fc.property(numbers, ({ min, width, from, least, step, power, shape }) => {
      const max = min + width;
      let tries = 0;
      const found = leastInteger({ from, min, max, step, target: 0.95 }, (value) => {
        tries++;
        assert.ok(value >= min && value <= max);
        if (shape === 'jump') return value >= least ? 0.95 : 0.5;
        return value >= least
          ? 1 - 0.05 * (least / value) ** power
          : Math.min(0.9499, 1 - 0.05 * (least / value) ** power);
      });
      const right = Math.min(max, Math.max(min, least));
      assert.ok(found >= right && found <= Math.max(right + 1, Math.ceil(right * step)), `${found} for ${right}`);
      assert.ok(tries < 100);
      if (shape === 'power' && step > 1) {
        powers += tries;
        runs++;
      }
    }),
    { seed: 2, numRuns: 500 },
  );
  // Measured: 2.9, where the loss is a power.
  assert.ok(powers / runs < 4, `${powers / runs} tries`);
});
