/**
 * The tutorial on its own split: losses, metrics and shortlist in the bands that three seeds of a double-checked numpy
 * program gave, widened by three band widths each way.
 *
 * Over 24 other seeds all epoch losses lay in the widened bands for 20, the evaluation loss for 22, top-100 in
 * .232–.238 ± .006 for all, and user 42's first title was "Rudy (1993)" for 11; real TFRS varies likewise. The three
 * seeds here are the tutorial command's default and the two after it.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { readMovieLensFolder } from '../../src/data/movielens-folder.ts';
import { tutorialSplit } from '../../src/data/tutorial-split.ts';
import { StringLookup } from '../../src/embeddings/string-lookup.ts';
import { FactorizedTopK } from '../../src/metrics/factorized-top-k.ts';
import { Generator } from '../../src/random/generator.ts';
import { TwoTowerModel } from '../../src/retrieval/model.ts';
import { BruteForce } from '../../src/topk/brute-force/brute-force.ts';
import { Tower } from '../../src/towers/tower.ts';
import { golden } from '../golden/golden.ts';

const folder = process.env.SHORTLIST_DATA;
const skip = folder ? false : 'SHORTLIST_DATA is not set';

type Band = [low: number, high: number];
interface Bands {
  epoch_last_batch: Band[];
  epoch_mean_of_10_batches: Band[];
  keras_progress_bar: Band[];
  per_example: Band[];
  eval_last_batch: Band;
}

test('three seeds train into the bands', { skip }, async () => {
  const data = await readMovieLensFolder(join(folder!, 'movielens-100k'));
  const { train, test: held, movies } = tutorialSplit(data);
  const { bands } = golden<{ bands: Bands }>('tfrs-training');
  const inside = (what: string, value: number, [low, high]: Band, widths = 3): void => {
    const slack = widths * (high - low);
    assert.ok(
      value >= low - slack && value <= high + slack,
      `${what}: ${value} is not in ${low - slack} … ${high + slack}`,
    );
  };
  const userIds = StringLookup.adapt(data.interactions.userIds).vocabulary;
  const titles = StringLookup.adapt(data.movies.titles).vocabulary;
  for (const seed of [42, 43, 44]) {
    const seeds = new Generator(seed);
    const queryTower = Tower.create({ vocabulary: userIds, seed: seeds.fork('user').uint32() });
    const candidateTower = Tower.create({ vocabulary: titles, seed: seeds.fork('title').uint32() });
    const model = new TwoTowerModel({ queryTower, candidateTower });
    const { epochs } = await model.fit(
      { queries: train.userIds, candidates: train.titles },
      { epochs: 3, shuffle: false, samplingCorrection: false },
    );
    epochs.forEach(({ perExample, lastBatch, kerasBar }, i) => {
      inside(`seed ${seed}, epoch ${i + 1}, last batch`, lastBatch, bands.epoch_last_batch[i]!);
      inside(`seed ${seed}, epoch ${i + 1}, Keras bar`, kerasBar, bands.keras_progress_bar[i]!);
      inside(`seed ${seed}, epoch ${i + 1}, per example`, perExample, bands.per_example[i]!);
    });
    const index = new BruteForce<string, string>({ queryModel: queryTower });
    index.index(candidateTower.embed(movies.titles), movies.titles);
    const metrics = new FactorizedTopK({ candidates: index });
    const result = await model.evaluate({ queries: held.userIds, candidates: held.titles }, { metrics });
    inside(`seed ${seed}, evaluation`, result.lastBatch, bands.eval_last_batch);
    inside(
      `seed ${seed}, top 100`,
      result.metrics['factorized_top_k/top_100_categorical_accuracy']!,
      [0.232, 0.238],
      1,
    );
    assert.equal(index.call('42', 1).identifiers()[0], 'Rudy (1993)');
  }
});
