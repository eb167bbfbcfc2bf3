/**
 * A step of training of a query tower of seven features of 64 columns and dense layers of 128 and 64 units, in batches of
 * 4,096 against a candidate tower of one feature: ours beside the same model in Keras. Both get ids that were looked up
 * before, so that only the step is measured.
 */
import { Retrieval, Tower, TwoTowerModel } from 'shortlist';
import { Generator } from 'shortlist/random';
import { Adagrad } from 'shortlist/training';

export const BATCH = 4096;
export const FEATURES = 7;
export const DIMENSIONS = 64;
export const UNITS: readonly number[] = [128, 64];
/** Words of a feature, and candidates: those of a middle-sized catalogue. */
export const WORDS = 10_000;
const STEPS = 5;

/** Makes our model; a call takes some steps and gives seconds per step. */
export function denseSteps(): () => number {
  const vocabulary = Array.from({ length: WORDS }, (_, i) => `${i}`);
  const names = Array.from({ length: FEATURES }, (_, i) => `f${i}`);
  const features = Object.fromEntries(names.map((name) => [name, { vocabulary, dimensions: DIMENSIONS }]));
  const model = new TwoTowerModel({
    queryTower: Tower.create({ features, dense: UNITS }),
    candidateTower: Tower.create({ vocabulary, dimensions: DIMENSIONS, seed: 2 }),
    task: new Retrieval(),
    optimizer: new Adagrad({ learningRate: 0.1 }),
  });
  const generator = new Generator(1);
  const word = (): string => vocabulary[generator.below(WORDS)]!;
  const batches = Array.from({ length: STEPS }, () => {
    const queries = Array.from({ length: BATCH }, () => Object.fromEntries(names.map((name) => [name, word()])));
    const candidates = Array.from({ length: BATCH }, word);
    return {
      rows: BATCH,
      queries: model.queryTower.encode(queries),
      candidates: model.candidateTower.encode(candidates),
      sampleWeight: undefined,
      candidateSamplingProbability: undefined,
      identifiers: undefined,
    };
  });
  let step = 0;
  return () => {
    const start = performance.now();
    for (const batch of batches) model.step(batch, true, step++);
    return (performance.now() - start) / 1000 / STEPS;
  };
}
