/** The objects that the cases of options use: small data, towers, tables, indexes. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import * as core from './public-api.ts';

/** One options object of the public interface. */
export interface Case {
  /** Options that are accepted. */
  valid: object;
  /** A misspelled name and the one it is near to. */
  typo: readonly [wrong: string, right: string];
  call: (options: never) => unknown;
  /** Values that are not an options object; default null and a number. */
  refused?: readonly unknown[];
}

export const folder: string = mkdtempSync(join(tmpdir(), 'shortlist-options-'));
after(() => rmSync(folder, { recursive: true }));
export const runtime: core.Runtime = new core.Runtime({ threads: 1 });
export const vocabulary: string[] = ['a', 'b', 'c'];
export const tower = (): core.Tower => core.Tower.create({ vocabulary, dimensions: 4, runtime });
export const model = (): core.TwoTowerModel => new core.TwoTowerModel({ queryTower: tower(), candidateTower: tower() });
export const dataset: { queries: string[]; candidates: string[] } = { queries: ['a', 'b'], candidates: ['b', 'c'] };
export const context: core.TableContext = { vocabularySize: 40, dimensions: 4, seed: 1, runtime };
export const cqr = (): core.Cqr => core.Cqr.create({ parameters: 80, columns: 2 }, context);
export const full = (): core.FullTable => core.FullTable.create({ vocabularySize: 40, dimensions: 4, runtime });
export const machine = (): core.FactorizationMachine => new core.FactorizationMachine({ tables: [full(), full()] });
export const factorization = (): core.MatrixFactorization =>
  new core.MatrixFactorization({ queryTable: full(), candidateTable: full() });
export const clicks: { queries: Int32Array; candidates: Int32Array; labels: Uint8Array } = {
  queries: Int32Array.of(1),
  candidates: Int32Array.of(2),
  labels: Uint8Array.of(1),
};
export const labelledIds: core.LabelledIds = {
  columns: [Int32Array.of(1), Int32Array.of(2)],
  labels: Uint8Array.of(1),
};
export const points = (): core.Matrix =>
  core.Matrix.from(
    'points',
    Array.from({ length: 40 }, (_, i) => [Math.sin(i), Math.cos(i), i / 40, 1]),
    runtime,
  );
export const bundled = (): { index: core.BruteForce<string, string> } => {
  const queryModel = tower();
  const index = new core.BruteForce<string, string>({ queryModel, runtime });
  return {
    index: index.index(
      points(),
      Array.from({ length: 40 }, (_, i) => `movie ${i}`),
    ),
  };
};
export const scann = (): core.ScaNN => new core.ScaNN({ numLeaves: 4, runtime }).index(points());
export const query: number[] = [1, 2, 3, 4];
export const exact = (): core.BruteForce => new core.BruteForce({ runtime }).index(points());
export const streaming = (): core.Streaming => new core.Streaming({ runtime, dataset: [points()] as never });
export const dense = (): core.Dense => {
  const made = new core.Dense(3, 2);
  made.data.set([1, 2, 3, 4, 5, 7]);
  return made;
};
export const generator: core.Generator = new core.Generator(1);
export const metric = (): core.FactorizedTopK<number> => new core.FactorizedTopK({ candidates: scann() as never });
export const epochs = ['epoch', 'epochs'] as const;
export const seed = ['seeds', 'seed'] as const;
export const contents: Case = { valid: bundled(), typo: ['metdata', 'metadata'], call: core.bundleToBytes as never };
export const loading: { typo: readonly [string, string]; valid: object } = { typo: ['runTime', 'runtime'], valid: {} };
export const sink: core.Sink = { write: () => {} };
export const asyncSink: core.AsyncSink = { write: async () => {} };
const coded = (...codes: number[]) => ({ vocabulary: ['x', 'y'], codes: Int32Array.from(codes) });
export const interactions: core.Interactions = core.interactionsOf({
  users: coded(0, 0, 1),
  items: coded(0, 1, 1),
  times: Float64Array.of(1, 2, 3),
} as never);
/** One user with enough items for a validation part. */
export const longHistory: core.Interactions = core.interactionsOf({
  users: { vocabulary: ['x'], codes: new Int32Array(5) },
  items: { vocabulary: ['a', 'b', 'c', 'd', 'e'], codes: Int32Array.of(0, 1, 2, 3, 4) },
} as never);
export const evaluated = (options?: core.EvaluateRecommenderOptions): core.RecommenderEvaluation =>
  core.evaluateRecommender(new core.Popularity(interactions), core.leaveLastOut(interactions), options);
export const codebook: ReturnType<typeof core.trainProductCodebook> = core.trainProductCodebook(points());

/** Features that learned one word. */
export function features(): core.FeatureSet {
  const learner = new core.FeatureLearner({ title: { type: 'string' } });
  learner.add({ title: ['a'] });
  return learner.finish();
}
