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
