/**
 * A checkpoint of version 0.1's Adam goes on with both classes. `v1/adam.checkpoint` was written by that version after four
 * of nine steps; WEIGHTS are the query table after its whole run. The form of epsilon alone has changed since, which does
 * not show where gradients are not tiny (docs/decisions/adam-as-keras.md).
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { loadCheckpoint } from '../../src/bundle/save.ts';
import { Adam, LazyAdam } from '../../src/optimizers/adam.ts';
import { TwoTowerModel } from '../../src/retrieval/model.ts';
import { Tower } from '../../src/towers/tower.ts';

const PATH = fileURLToPath(new URL('../../../test/compat/v1/adam.checkpoint', import.meta.url));
const WEIGHTS = [
  ...[0.02774728462100029, -0.04423787444829941, -0.043710727244615555, -0.019214754924178123, 0.29954203963279724],
  ...[0.2906825542449951, -0.06640367209911346, -0.10362406820058823, -0.20585399866104126, -0.09727626293897629],
  ...[0.2729491889476776, -0.20232349634170532, -0.27469807863235474, -0.19441679120063782, 0.21925917267799377],
  ...[-0.13942104578018188, 0.31243181228637695, 0.06422650814056396, -0.25976139307022095, 0.31264549493789673],
];

test("a run of version 0.1's Adam ends as it would have ended", async () => {
  const vocabulary = ['a', 'b', 'c', 'd'];
  const rows = [...vocabulary, ...vocabulary];
  const resumed = async (optimizer: Adam | LazyAdam): Promise<Float32Array> => {
    const model = new TwoTowerModel({
      queryTower: Tower.create({ vocabulary, dimensions: 4, seed: 1 }),
      candidateTower: Tower.create({ vocabulary, dimensions: 4, seed: 2 }),
      optimizer,
    });
    const resume = await loadCheckpoint(PATH);
    assert.equal(resume.optimizer.name, 'adam');
    await model.fit({ queries: rows, candidates: rows }, { epochs: 3, batchSize: 3, resume });
    return model.queryTower.parameters()[0]!.data;
  };
  const lazy = await resumed(new LazyAdam());
  lazy.forEach((weight, i) => assert.ok(Math.abs(weight - WEIGHTS[i]!) < 2e-5, `${i}: ${weight}, not ${WEIGHTS[i]}`));
  assert.ok((await resumed(new Adam())).every(Number.isFinite));
});
