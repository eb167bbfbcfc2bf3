/** Valid calls of what data, tables, towers, training and metrics offer: the object that a method belongs to, and its arguments. */

import { join } from 'node:path';
import * as node from '../../src/entries/node.ts';
import {
  clicks,
  codebook,
  context,
  cqr,
  dataset,
  dense,
  evaluated,
  factorization,
  features,
  folder,
  full,
  generator,
  interactions,
  labelledIds,
  longHistory,
  machine,
  metric,
  model,
  points,
  query,
  runtime,
  scann,
  tower,
  vocabulary,
} from './fixtures.ts';
import * as core from './public-api.ts';
import type { Call } from './wrong-arguments.ts';

const ids = (): Int32Array => Int32Array.of(0, 1);
const rows = (): core.Matrix => core.Matrix.from('rows', [query, query], runtime);
const sgd = (): core.Sgd => new core.Sgd();
const lookup = (): core.StringLookup => new core.StringLookup({ vocabulary });
const ratings = core.syntheticMovieLens({ seed: 1 });
const position = { epoch: 0, step: 0, losses: [], epochs: [], best: undefined };
const checkpoint = (): core.Checkpoint => core.takeCheckpoint(model(), position);
const histories = core.itemsByUser(interactions);
const frequency = (): core.StreamingFrequency => new core.StreamingFrequency();
const random = (): core.Generator => new core.Generator(1);
const recommending = (make: () => object): Call => ({ of: make, arguments: () => [Int32Array.of(0), histories, 1] });
const words: string[] = Array.from({ length: 40 }, (_, i) => `y${i}`);
const throughIndex: core.ThroughIndexOptions<readonly number[]> = {
  name: 'index',
  index: new core.BruteForce<readonly number[], string>({ runtime }).index(points(), words),
  queryOf: () => query,
  itemVocabulary: words,
};
const als = { model: 'als', settings: { dimensions: 2, unobservedWeight: 0.1, regularization: 0.003, iterations: 1 } };
const encoded = (): core.EncodedFeatures => tower().encode(['a', 'b']);
const table = (make: () => unknown): Record<'rows' | 'applyGradient', Call> => ({
  rows: { of: make, arguments: () => [ids(), rows()] },
  applyGradient: { of: make, arguments: () => [ids(), rows(), sgd()] },
});

const quantized = (): Promise<core.QuantizedTable> => core.quantizeProduct(full(), { parameters: 80, iterations: 1 });
const layer = (make: () => core.Layer): Record<'forward' | 'backward', Call> => ({
  forward: { of: make, arguments: () => [rows(), 1] },
  backward: {
    of: () => {
      const made = make();
      made.forward(rows(), 1);
      return made;
    },
    arguments: () => [rows(), sgd()],
  },
});
const normalize = layer(() => new core.L2Normalize(4, runtime));
const denseLayer = layer(() => core.DenseLayer.create(4, 4, 'relu', 1, runtime));
const layerNorm = layer(() => core.LayerNorm.create(4, 1e-3, runtime));
const sequential = layer(() => new core.Sequential(4, [], runtime));
const branches = layer(() => new core.Branches('add', 4, [new core.Sequential(4, [], runtime)], runtime));
const dropout = layer(() => new core.Dropout(4, 0.5, 1, runtime));
const foldIn = async (): Promise<core.FoldIn> =>
  (await core.fitAls(interactions, { dimensions: 2, iterations: 1, runtime })).queryModel as never;

export const TRAINING_CALLS: Readonly<Record<string, Call>> = {
  Matrix: { arguments: () => [2, 4, runtime] },
  'Matrix.from': { arguments: () => ['rows', [query], runtime] },
  'Matrix.row': { of: rows, arguments: () => [1] },
  Runtime: { arguments: () => [{ threads: 1 }] },
  interactionsOf: { arguments: () => [interactions] },
  dictionaryColumn: { arguments: () => [['a', 'b', 'a']] },
  distinctPairs: { arguments: () => [interactions] },
  itemsByUser: { arguments: () => [interactions] },
  leaveLastOut: { arguments: () => [interactions, {}] },
  splitByTime: { arguments: () => [interactions, { testShare: 0.5 }] },
  takeInteractions: { arguments: () => [interactions, Int32Array.of(0)] },
  transposeLists: { arguments: () => [histories] },
  listOf: { arguments: () => [histories, 0] },
  syntheticMovieLens: { isSlow: true, arguments: () => [{ seed: 1 }] },
  takeRatings: { arguments: () => [ratings.interactions, Int32Array.of(0)] },
  tutorialSplit: { isSlow: true, arguments: () => [ratings] },
  readMovieLensFolder: { arguments: () => [folder], fails: true },
  loadMovieLens: { isSlow: true, arguments: () => [{ env: { SHORTLIST_OFFLINE: '1' }, home: folder }], fails: true },
  parseMovieLens100K: { arguments: () => [{ ratings: '', items: '', users: '' }], fails: true },
  StringLookup: { arguments: () => [{ vocabulary }] },
  'StringLookup.adapt': { arguments: () => [vocabulary, {}] },
  'StringLookup.wordAt': { of: lookup, arguments: () => [0] },
  'StringLookup.has': { of: lookup, arguments: () => ['a'] },
  'StringLookup.idOf': { of: lookup, arguments: () => ['a'] },
  'StringLookup.encode': { of: lookup, arguments: () => [['a']] },
  makeTable: { arguments: () => [{ method: 'full' }, context] },
  'Cqr.create': { arguments: () => [{ parameters: 80, columns: 2 }, context] },
  'QuantizedTable.rows': table(quantized).rows,
  'QuantizedTable.applyGradient': table(quantized).applyGradient,
  'Cqr.rows': table(cqr).rows,
  'Cqr.applyGradient': table(cqr).applyGradient,
  'Cqr.clustersFor': { of: cqr, arguments: () => [false, 40] },
  'Cqr.restorePointers': { of: cqr, arguments: () => [cqr().takePointers()] },
  FullTable: { arguments: () => [rows()] },
  'FullTable.create': { arguments: () => [{ vocabularySize: 3, dimensions: 4, runtime }] },
  'FullTable.rows': table(full).rows,
  'FullTable.applyGradient': table(full).applyGradient,
  cluster: { arguments: () => [cqr(), { iterations: 1 }] },
  pointByCoOccurrence: {
    arguments: () => [cqr(), full(), { queries: Int32Array.of(1), candidates: Int32Array.of(2) }, { iterations: 1 }],
  },
  fitQuantizedAls: {
    arguments: () => [cqr(), full(), { queries: Int32Array.of(1), candidates: Int32Array.of(2) }, { iterations: 1 }],
  },
  quantizeProduct: { arguments: () => [full(), { parameters: 80, iterations: 1 }] },
  quantizeResidual: { arguments: () => [full(), { parameters: 80, iterations: 1 }] },
  assignNearest: { arguments: () => [points(), rows()] },
  trainKMeans: { arguments: () => [points(), { clusters: 2 }] },
  trainProductCodebook: { arguments: () => [points(), {}] },
  encodeProduct: { arguments: () => [codebook, points(), {}] },
  decodeProduct: { arguments: () => [codebook, core.encodeProduct(codebook, points())] },
  trainBalancedPca: { arguments: () => [points(), {}] },
  rotateRows: { arguments: () => [core.trainBalancedPca(points()), points(), points()] },
  checkFeatureSpecs: { arguments: () => [{ title: { type: 'string' } }] },
  learnFeatures: { arguments: () => [{ title: { type: 'string' } }, [{ title: ['a'] }], {}] },
  FeatureLearner: { arguments: () => [{ title: { type: 'string' } }, {}] },
  'FeatureLearner.add': {
    of: () => new core.FeatureLearner({ title: { type: 'string' } }),
    arguments: () => [{ title: ['a'] }],
  },
  FeatureSet: { arguments: () => [features().learned] },
  'FeatureSet.pick': { of: features, arguments: () => [['title']] },
  'FeatureSet.get': { of: features, arguments: () => ['title'] },
  'FeatureSet.encode': { of: features, arguments: () => [['a'], {}] },
  'FeatureSet.encodeColumns': { of: features, arguments: () => [{ title: ['a'] }, {}] },
  isUnknownValue: { arguments: () => [features().get('title'), 'b'] },
  referenceKernels: { arguments: () => [runtime.heap.memory] },
  createTowers: {
    arguments: () => [{ queryTower: { features: features() }, candidateTower: { features: features() }, runtime }],
  },
  'Tower.create': { arguments: () => [{ vocabulary, dimensions: 4, runtime }] },
  'Tower.encode': { of: tower, arguments: () => [['a']] },
  'Tower.embed': { of: tower, arguments: () => [['a']] },
  'Tower.forward': { of: tower, arguments: () => [encoded(), 1] },
  'Tower.backward': {
    of: () => {
      const made = tower();
      made.forward(made.encode(['a', 'b']));
      return made;
    },
    arguments: () => [rows(), sgd(), new core.TableGradients()],
  },
  'Tower.embedEncoded': { of: tower, arguments: () => [encoded()] },
  'TableGradients.add': {
    of: () => new core.TableGradients(),
    arguments: () => [full(), { ids: ids(), gradient: rows(), column: 0, isDistinct: true }],
  },
  'TableGradients.hold': { of: () => new core.TableGradients(), arguments: () => [rows()] },
  'TableGradients.step': { of: () => new core.TableGradients(), arguments: () => [sgd()] },
  TwoTowerModel: { arguments: () => [{ queryTower: tower(), candidateTower: tower() }] },
  'TwoTowerModel.fit': { of: model, arguments: () => [dataset, { epochs: 1 }] },
  'TwoTowerModel.evaluate': { of: model, arguments: () => [dataset, {}] },
  takeCheckpoint: { arguments: () => [model(), position] },
  writeCheckpoint: { arguments: () => [checkpoint(), { write: () => {} }, runtime] },
  checkpointToBytes: { arguments: () => [checkpoint(), runtime] },
  checkpointFromBytes: { arguments: () => [core.checkpointToBytes(checkpoint(), runtime), runtime] },
  readCheckpoint: { arguments: () => [source(core.checkpointToBytes(checkpoint(), runtime)), runtime] },
  saveCheckpoint: { arguments: () => [join(folder, 'argument'), checkpoint()] },
  loadCheckpoint: {
    of: async () => node.saveCheckpoint(join(folder, 'argument'), checkpoint()),
    arguments: () => [join(folder, 'argument'), {}],
  },
  clusterSteps: { arguments: () => [{}, 10, 2] },
  MatrixFactorization: { arguments: () => [{ queryTable: full(), candidateTable: full() }] },
  'MatrixFactorization.fit': { of: factorization, arguments: () => [clicks, { epochs: 1 }] },
  'MatrixFactorization.step': { of: factorization, arguments: () => [clicks] },
  'MatrixFactorization.predict': { of: factorization, arguments: () => [ids(), ids()] },
  'MatrixFactorization.evaluate': { of: factorization, arguments: () => [clicks] },
  FactorizationMachine: { arguments: () => [{ tables: [full(), full()] }] },
  'FactorizationMachine.fit': { of: machine, arguments: () => [labelledIds, { epochs: 1 }] },
  'FactorizationMachine.step': { of: machine, arguments: () => [labelledIds] },
  'FactorizationMachine.predict': { of: machine, arguments: () => [labelledIds.columns] },
  'FactorizationMachine.evaluate': { of: machine, arguments: () => [labelledIds] },
  Retrieval: { arguments: () => [{}] },
  'Retrieval.call': { of: () => new core.Retrieval(), arguments: () => [[[1, 2]], [[1, 2]], {}] },
  'Retrieval.compute': {
    of: () => new core.Retrieval(),
    arguments: () => [{ queries: rows(), candidates: rows(), queryOf: ids(), candidateOf: ids() }, { learn: false }],
  },
  checkFeatureModelSpec: { arguments: () => [{}], fails: true },
  nextItemExamples: { arguments: () => [interactions, {}] },
  StreamingFrequency: { arguments: () => [{}] },
  'StreamingFrequency.add': { of: frequency, arguments: () => [[1]] },
  'StreamingFrequency.probabilities': { of: frequency, arguments: () => [[1]] },
  gradCheck: { arguments: () => [new core.L2Normalize(3, runtime), { rows: 2 }] },
  'L2Normalize.forward': normalize.forward,
  'L2Normalize.backward': normalize.backward,
  'Dropout.forward': dropout.forward,
  'Dropout.backward': dropout.backward,
  'DenseLayer.forward': denseLayer.forward,
  'DenseLayer.backward': denseLayer.backward,
  'DenseLayer.backwardWeights': denseLayer.backward,
  'Sequential.backwardWeights': sequential.backward,
  'LayerNorm.forward': layerNorm.forward,
  'LayerNorm.backward': layerNorm.backward,
  'Sequential.forward': sequential.forward,
  'Sequential.backward': sequential.backward,
  'Branches.forward': branches.forward,
  'Branches.backward': branches.backward,
  'DenseLayer.create': { arguments: () => [4, 4, 'relu', 1, runtime] },
  'LayerNorm.create': { arguments: () => [4, 1e-3, runtime] },
  Sequential: { arguments: () => [4, [], runtime] },
  Branches: { arguments: () => ['add', 4, [new core.Sequential(4, [], runtime)], runtime] },
  padded: { arguments: () => [4] },
  saveFeatureSets: { arguments: () => [[features()]] },
  ThroughIndex: { arguments: () => [throughIndex] },
  'ThroughIndex.recommend': recommending(() => new core.ThroughIndex(throughIndex)),
  L2Normalize: { arguments: () => [4, runtime] },
  Dropout: { arguments: () => [4, 0.5, 1, runtime] },
  fitAls: { arguments: () => [interactions, { dimensions: 2, iterations: 1, runtime }] },
  'FoldIn.embed': { of: foldIn, arguments: () => [['x']] },
  FoldIn: { of: foldIn, arguments: (made) => [(made as core.FoldIn).parts] },
  fitHistoryTower: { arguments: () => [longHistory, { dimensions: 4, epochs: 1, runtime }] },
  fitRecommender: { arguments: () => [interactions, als, { runtime }] },
  trainRecommender: { arguments: () => [interactions, { runtime, model: 'als', budgetSeconds: 1e-3 }] },
  baselineFits: { arguments: () => [interactions, runtime] },
  baselines: { arguments: () => [interactions, runtime] },
  Ease: { arguments: () => [interactions, { runtime }] },
  ItemKnn: { arguments: () => [interactions, {}] },
  Popularity: { arguments: () => [interactions, {}] },
  'Popularity.recent': { arguments: () => [interactions, {}] },
  'Ease.recommend': recommending(() => new core.Ease(interactions, { runtime })),
  'ItemKnn.recommend': recommending(() => new core.ItemKnn(interactions)),
  'Popularity.recommend': recommending(() => new core.Popularity(interactions)),
  bootstrapMean: { arguments: () => [Float64Array.of(1), {}] },
  bootstrapDifference: { arguments: () => [Float64Array.of(1), Float64Array.of(2), {}] },
  clickMetrics: { arguments: () => [[1], [1]] },
  compareEvaluations: { arguments: () => [evaluated(), evaluated(), {}] },
  evaluateRecommender: {
    arguments: () => [new core.Popularity(interactions), core.leaveLastOut(interactions), {}],
  },
  evaluatePerUser: { arguments: () => [scann(), [{ query, positives: [1] }], {}] },
  rankingMetrics: { arguments: () => [['a'], new Set(['a']), 1] },
  recallAtK: { arguments: () => [['a'], new Set(['a']), 1] },
  FactorizedTopK: { arguments: () => [{ candidates: points() }] },
  'FactorizedTopK.update': { of: metric, arguments: () => [rows(), { trueIdentifiers: [1, 2] }] },
  'FactorizedTopK.updateAsync': { of: metric, arguments: () => [rows(), { trueIdentifiers: [1, 2] }] },
  Generator: { arguments: () => [1, 0] },
  'Generator.fork': { of: random, arguments: () => ['x', 0] },
  'Generator.below': { of: random, arguments: () => [5] },
  'Generator.permutation': { of: random, arguments: () => [5] },
  Dense: { arguments: () => [2, 2, new Float64Array(4)] },
  'Dense.normal': { arguments: () => [2, 2, generator] },
  'Dense.beside': { arguments: () => [dense(), dense()] },
  'Dense.column': { of: dense, arguments: () => [0] },
  rho: { arguments: () => [dense()] },
  denseCqr: { arguments: () => [dense(), dense(), { columns: 1, steps: 1, generator }] },
  sparseCqr: { arguments: () => [dense(), dense(), { rows: 1, steps: 1, generator }] },
};

/** A source of bytes in memory. */
export function source(bytes: Uint8Array): core.Source {
  return {
    sizeBytes: bytes.length,
    read: (offset, target) => target.set(bytes.subarray(offset, offset + target.length)),
  };
}
