/**
 * Search settings that are changed after the build: calls, statistics and files use them, and wrong ones are refused.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bundleFromBytes, bundleToBytes } from '../../src/bundle/bundle.ts';
import { Generator } from '../../src/random/generator.ts';
import { ScaNN } from '../../src/topk/scann/scann.ts';

const DIMENSIONS = 8;
const random = new Generator(5);
const data = Float32Array.from({ length: 3000 * DIMENSIONS }, () => random.normal());
const built = (options = {}): ScaNN => {
  const index = new ScaNN({ numLeaves: 60, numLeavesToSearch: 1, tree: 'always', ...options });
  index.index({ data, dimensions: DIMENSIONS });
  return index;
};
const query = { data: data.subarray(0, 20 * DIMENSIONS), dimensions: DIMENSIONS };

test('a call does what the settings say, as if the index had been built with them', async () => {
  const [changed, made] = [
    built(),
    built({ numLeavesToSearch: 20, numReorderingCandidates: 50, tunedK: 10, groupBound: false }),
  ];
  assert.notDeepEqual(changed.call(query).hits(), made.call(query).hits());
  changed.setSearchSettings({ numLeavesToSearch: 20, numReorderingCandidates: 50, tunedK: 10, groupBound: false });
  assert.deepEqual(changed.settings, made.settings);
  assert.deepEqual(changed.call(query).scores, made.call(query).scores);
  const { index } = await bundleFromBytes(bundleToBytes({ index: changed }));
  assert.deepEqual((index as ScaNN).settings, made.settings);
  assert.deepEqual((index as unknown as ScaNN).call(query).scores, made.call(query).scores);
});

test('what a build measured no longer holds, and what is not given stays', () => {
  const index = built({ targetRecall: 0.9 });
  assert.ok(index.stats().measured);
  const { numReorderingCandidates } = index.settings;
  index.setSearchSettings({ numLeavesToSearch: 7 });
  assert.equal(index.stats().measured, undefined);
  assert.equal(index.settings.numLeavesToSearch, 7);
  assert.equal(index.settings.numReorderingCandidates, numReorderingCandidates);
});

test('wrong settings are refused and change nothing', () => {
  const index = built();
  const before = index.settings;
  assert.throws(() => index.setSearchSettings({ numLeavesToSearch: 0 }), /numLeavesToSearch: expected/);
  assert.throws(() => index.setSearchSettings({ numReorderingCandidates: 5 }), /numReorderingCandidates: expected/);
  assert.throws(() => built({ reorder: false }).setSearchSettings({ numReorderingCandidates: 50 }), /keeps rows/);
  assert.deepEqual(index.settings, before);
});

test('a group bound that was set is that of calls, and of the saved index', async () => {
  const index = built({ numLeavesToSearch: 60, groupBound: 1 });
  const work = (from: ScaNN, options: object = {}): number => {
    const counted = { queries: 0, centroids: 0, leaves: 0, codes: 0, reorders: 0 };
    from.call(query, { ...options, work: counted });
    return counted.codes;
  };
  const all = work(index, { groupBound: false });
  assert.ok(work(index) < all);
  index.setSearchSettings({ groupBound: false });
  assert.equal(work(index), all);
  const { index: loaded } = await bundleFromBytes(bundleToBytes({ index }));
  assert.equal(work(loaded as unknown as ScaNN), all);
  assert.equal(index.stats().groupBound, 0);
});
