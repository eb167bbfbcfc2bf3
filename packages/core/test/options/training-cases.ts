/** Options objects of tables, towers, training, metrics and data: what each accepts, a misspelling, and the call that takes it. */

import * as node from '../../src/entries/node.ts';
import { CLICK_CASES } from './click-cases.ts';
import {
  type Case,
  codebook,
  context,
  cqr,
  dataset,
  dense,
  epochs,
  evaluated,
  features,
  folder,
  full,
  generator,
  interactions,
  longHistory,
  metric,
  model,
  points,
  runtime,
  scann,
  seed,
  tower,
  vocabulary,
} from './fixtures.ts';
import { OPTIMIZER_CASES } from './optimizer-cases.ts';
import * as core from './public-api.ts';

/** A model over features, tiny, with the shortest fit. */
const featureData: core.FeatureModelData = {
  spec: {
    queryTower: { features: { user: { type: 'string', dimensions: 2 } }, dense: [2] },
    candidateTower: { features: { item: { type: 'string', dimensions: 2 } }, dense: [2] },
  },
};
const FEATURES: core.ChosenModel = {
  model: 'features',
  settings: { dimensions: 2, temperature: 0.1, learningRate: 0.005, epochs: 1 },
};
const tiny = { runtime, model: 'features', budgetSeconds: 1e-3 } as const;

export const TRAINING_CASES: Record<string, Case> = {
  ...CLICK_CASES,
  'gradCheck(options)': {
    valid: { rows: 2 },
    typo: ['tolerence', 'tolerance'],
    call: (o) => core.gradCheck(new core.L2Normalize(3, runtime), o),
  },
  'Ease(options)': {
    valid: { runtime },
    typo: ['regularisation', 'regularization'],
    call: (o) => new core.Ease(interactions, o),
  },
  'ItemKnn(options)': { valid: {}, typo: ['neighbours', 'neighbors'], call: (o) => new core.ItemKnn(interactions, o) },
  'Popularity(options)': {
    valid: {},
    typo: ['halflife', 'halfLife'],
    call: (o) => new core.Popularity(interactions, o),
  },
  'Popularity.recent(options)': {
    valid: {},
    typo: ['halflife', 'halfLife'],
    call: (o) => core.Popularity.recent(interactions, o),
  },
  'bootstrapMean(options)': { valid: {}, typo: seed, call: (o) => core.bootstrapMean(Float64Array.of(1), o) },
  'bootstrapDifference(options)': {
    valid: {},
    typo: seed,
    call: (o) => core.bootstrapDifference(Float64Array.of(1), Float64Array.of(2), o),
  },
  'evaluateRecommender(options)': { valid: {}, typo: ['k', 'ks'], call: (o) => evaluated(o) },
  'compareEvaluations(options)': {
    valid: {},
    typo: ['metrics', 'metric'],
    call: (o) => core.compareEvaluations(evaluated(), evaluated(), o),
  },
  'fitHistoryTower(options)': {
    valid: { dimensions: 4, runtime },
    typo: ['maxLenght', 'maxLength'],
    call: (o) => core.fitHistoryTower(longHistory, o),
  },
  'nextItemExamples(options)': {
    valid: {},
    typo: ['maxLenght', 'maxLength'],
    call: (o) => core.nextItemExamples(interactions, o),
  },
  'smoothOverGraph(options)': {
    valid: { layers: 1 },
    typo: ['layer', 'layers'],
    call: (o) => {
      const [users, items] = [interactions.users, interactions.items].map(
        ({ vocabulary }) => new core.Matrix(vocabulary.length, 4, runtime),
      ) as [core.Matrix, core.Matrix];
      return core.smoothOverGraph({ users, items }, core.itemsByUser(interactions), o);
    },
  },
  'smoothTowers(options)': {
    valid: { layers: 1 },
    typo: ['layer', 'layers'],
    call: (o) => {
      const [users, items] = [interactions.users, interactions.items].map(({ vocabulary }) =>
        core.Tower.create({ vocabulary, dimensions: 4, runtime }),
      ) as [core.Tower, core.Tower];
      return core.smoothTowers(users, items, interactions, o);
    },
  },
  'trainRecommender(options)': {
    valid: { runtime, model: 'als', budgetSeconds: 1e-3 },
    typo: ['budget', 'budgetSeconds'],
    call: (o) => core.trainRecommender(interactions, o),
  },
  'fitRecommender(options)': {
    valid: { runtime, seed: 1 },
    typo: ['seeds', 'seed'],
    call: (o) =>
      core.fitRecommender(
        interactions,
        { model: 'als', settings: { dimensions: 2, unobservedWeight: 0.1, regularization: 0.003, iterations: 1 } },
        o,
      ),
  },
  'trainRecommender(options).features': {
    valid: featureData,
    typo: ['specs', 'spec'],
    call: (o) => core.trainRecommender(interactions, { ...tiny, features: o }),
  },
  'trainRecommender(options).features.spec': {
    valid: featureData.spec,
    typo: ['query', 'queryTower'],
    call: (spec) => core.trainRecommender(interactions, { ...tiny, features: { spec } }),
  },
  'fitRecommender(options).features': {
    valid: featureData,
    typo: ['userField', 'userFields'],
    call: (o) => core.fitRecommender(interactions, FEATURES, { runtime, features: o }),
  },
  'fitRecommender(options).features.spec': {
    valid: featureData.spec,
    typo: ['rate', 'learningRate'],
    call: (spec) => core.fitRecommender(interactions, FEATURES, { runtime, features: { spec } }),
  },
  'fitAls(options)': {
    valid: { dimensions: 2, iterations: 1, runtime },
    typo: ['dimension', 'dimensions'],
    call: (o) => core.fitAls(interactions, o),
  },
  ...OPTIMIZER_CASES,
  'Runtime(options)': { valid: { threads: 1 }, typo: ['thread', 'threads'], call: (o) => new core.Runtime(o) },
  'Cqr.create(options)': {
    valid: { parameters: 80 },
    typo: ['column', 'columns'],
    call: (o) => core.Cqr.create(o, context),
  },
  'Cqr.create(context)': { valid: context, typo: seed, call: (o) => core.Cqr.create({ parameters: 80 }, o) },
  'makeTable(options)': {
    valid: { method: 'bloom', parameters: 80 },
    typo: ['sum', 'sums'],
    call: (o) => core.makeTable(o, context),
  },
  'makeTable(context)': { valid: context, typo: seed, call: (o) => core.makeTable({ method: 'full' }, o) },
  'FullTable.create(options)': {
    valid: { vocabularySize: 3, dimensions: 4 },
    typo: ['dimension', 'dimensions'],
    call: core.FullTable.create as never,
  },
  'StringLookup(options)': {
    valid: { vocabulary },
    typo: ['maskTokens', 'maskToken'],
    call: (o) => new core.StringLookup(o),
  },
  'StringLookup.adapt(options)': {
    valid: {},
    typo: ['mask', 'maskToken'],
    call: (o) => core.StringLookup.adapt(vocabulary, o),
  },
  'createTowers(options)': {
    valid: { queryTower: { features: features() }, candidateTower: { features: features() }, runtime },
    typo: ['seeds', 'seed'],
    call: (o) => core.createTowers(o),
  },
  'createTowers(options).queryTower': {
    valid: { features: features() },
    typo: ['normalise', 'normalize'],
    call: (queryTower) => core.createTowers({ queryTower, candidateTower: { features: features() }, runtime }),
  },
  'createTowers(options).candidateTower': {
    valid: { features: features() },
    typo: ['normalise', 'normalize'],
    call: (candidateTower) => core.createTowers({ queryTower: { features: features() }, candidateTower, runtime }),
  },
  'Tower.create(options)': {
    valid: { vocabulary },
    typo: ['dimension', 'dimensions'],
    call: (o) => core.Tower.create(o as { vocabulary: string[] }),
  },
  'Tower.create(options).biases': {
    valid: { side: 'candidate' },
    typo: ['sides', 'side'],
    call: (biases) => core.Tower.create({ vocabulary, dimensions: 4, biases: biases as { side: 'query' } }),
  },
  'Tower.create(options).embedding': {
    valid: { method: 'cqr', parameters: 16, columns: 2 },
    typo: ['colums', 'columns'],
    call: (embedding) => core.Tower.create({ vocabulary, dimensions: 4, embedding }),
  },
  'TwoTowerModel(options)': {
    valid: { queryTower: tower(), candidateTower: tower() },
    typo: ['optimiser', 'optimizer'],
    call: (o) => new core.TwoTowerModel(o),
  },
  'TwoTowerModel.fit(options)': { valid: {}, typo: epochs, call: (o) => model().fit(dataset, o) },
  'TwoTowerModel.fit(options).clusterings': {
    valid: { every: 1 },
    typo: ['time', 'times'],
    call: (clusterings) => model().fit(dataset, { clusterings }),
  },
  'TwoTowerModel.fit(options).negatives': {
    valid: { uniform: 1 },
    typo: ['unifrom', 'uniform'],
    call: (negatives) => model().fit(dataset, { negatives }),
  },
  'TwoTowerModel.fit(options).earlyStopping': {
    valid: { monitor: 'perExample' },
    typo: ['patiense', 'patience'],
    call: (earlyStopping) => model().fit(dataset, { earlyStopping }),
  },
  'TwoTowerModel.fit(options).validation': {
    valid: { dataset },
    typo: ['metric', 'metrics'],
    call: (validation) => model().fit(dataset, { validation }),
  },
  'TwoTowerModel.fit(options).validation.dataset': {
    valid: dataset,
    typo: ['sampleWeights', 'sampleWeight'],
    call: (data) => model().fit(dataset, { validation: { dataset: data } }),
  },
  'TwoTowerModel.fit(dataset)': {
    valid: dataset,
    typo: ['candidateId', 'candidateIds'],
    call: (data) => model().fit(data),
  },
  'TwoTowerModel.evaluate(options)': {
    valid: {},
    typo: ['batch_size', 'batchSize'],
    call: (o) => model().evaluate(dataset, o),
  },
  'TwoTowerModel.evaluate(dataset)': {
    valid: dataset,
    typo: ['query', 'queries'],
    call: (data) => model().evaluate(data),
  },
  'Retrieval(options)': {
    valid: {},
    typo: ['temprature', 'temperature'],
    call: (o) => new core.Retrieval(o),
  },
  'Retrieval.call(options)': {
    valid: {},
    typo: ['sampleWeights', 'sampleWeight'],
    call: (o) => new core.Retrieval().call([[1, 2]], [[1, 2]], o),
  },
  'Retrieval.compute(options)': {
    valid: { learn: false },
    typo: ['learns', 'learn'],
    call: (o) => {
      const numbers = Int32Array.from({ length: 40 }, (_, i) => i);
      const batch = { queries: points(), candidates: points(), queryOf: numbers, candidateOf: numbers };
      return new core.Retrieval().compute(batch, o);
    },
  },
  'StreamingFrequency(options)': {
    valid: {},
    typo: ['bucket', 'buckets'],
    call: (o) => new core.StreamingFrequency(o),
  },
  'clusterSteps(schedule)': {
    valid: {},
    typo: ['help', 'helper'],
    call: (schedule) => core.clusterSteps(schedule, 10, 2),
  },
  'cluster(options)': {
    valid: { iterations: 1 },
    typo: ['iteration', 'iterations'],
    call: (o) => core.cluster(cqr(), o),
  },
  'pointByCoOccurrence(options)': {
    valid: { iterations: 1 },
    typo: ['hop', 'hops'],
    call: (o) => core.pointByCoOccurrence(cqr(), full(), { queries: [1], candidates: [2] } as never, o),
  },
  'fitQuantizedAls(options)': {
    valid: { sweeps: 1 },
    typo: ['sweep', 'sweeps'],
    call: (o) => core.fitQuantizedAls(cqr(), full(), { queries: [1], candidates: [2] } as never, o),
  },
  'quantizeProduct(options)': {
    valid: { parameters: 80 },
    typo: ['column', 'columns'],
    call: (o) => core.quantizeProduct(full(), o),
  },
  'quantizeResidual(options)': {
    valid: { bytes: 400 },
    typo: ['stage', 'stages'],
    call: (o) => core.quantizeResidual(full(), o),
  },
  'learnFeatures(options)': {
    valid: {},
    typo: seed,
    call: (o) => core.learnFeatures({ title: { type: 'string' } }, [{ title: ['a'] }], o),
  },
  'FeatureLearner(options)': {
    valid: {},
    typo: seed,
    call: (o) => new core.FeatureLearner({ title: { type: 'string' } }, o),
  },
  'FeatureSet.encode(options)': { valid: {}, typo: ['now', 'nowMs'], call: (o) => features().encode(['a'], o) },
  'FeatureSet.encodeColumns(options)': {
    valid: {},
    typo: ['now', 'nowMs'],
    call: (o) => features().encodeColumns({ title: ['a'] }, o),
  },
  'trainKMeans(options)': {
    valid: { clusters: 2 },
    typo: ['cluster', 'clusters'],
    call: (o) => core.trainKMeans(points(), o),
  },
  'trainBalancedPca(options)': { valid: {}, typo: seed, call: (o) => core.trainBalancedPca(points(), o) },
  'trainProductCodebook(options)': {
    valid: {},
    typo: ['codeWord', 'codewords'],
    call: (o) => core.trainProductCodebook(points(), o),
  },
  'encodeProduct(options)': {
    valid: {},
    typo: ['original', 'originals'],
    call: (o) => core.encodeProduct(codebook, points(), o),
  },
  'denseCqr(options)': {
    valid: { columns: 1, steps: 1, generator },
    typo: ['step', 'steps'],
    call: (o) => core.denseCqr(dense(), dense(), o),
  },
  'sparseCqr(options)': {
    valid: { rows: 1, steps: 1, generator },
    typo: ['row', 'rows'],
    call: (o) => core.sparseCqr(dense(), dense(), o),
  },
  'leaveLastOut(options)': { valid: {}, typo: ['counts', 'count'], call: (o) => core.leaveLastOut(interactions, o) },
  'splitByTime(cut)': {
    valid: { testShare: 0.5 },
    typo: ['testshare', 'testShare'],
    call: (cut) => core.splitByTime(interactions, cut),
  },
  'FactorizedTopK(options)': {
    valid: { candidates: points() },
    typo: ['k', 'ks'],
    call: (o) => new core.FactorizedTopK(o),
  },
  'FactorizedTopK.update(truth)': {
    valid: { trueIdentifiers: Array.from({ length: 40 }, (_, i) => i) },
    typo: ['trueIdentifier', 'trueIdentifiers'],
    call: (truth) => metric().update(points(), truth),
  },
  'FactorizedTopK.updateAsync(truth)': {
    valid: { trueIdentifiers: Array.from({ length: 40 }, (_, i) => i) },
    typo: ['weight', 'sampleWeight'],
    call: (truth) => metric().updateAsync(points(), truth),
  },
  'evaluatePerUser(options)': {
    valid: {},
    typo: ['k', 'ks'],
    call: (o) => core.evaluatePerUser(scann(), [{ query: [1, 2, 3, 4], positives: [1] }], o),
  },
  'syntheticMovieLens(options)': { valid: {}, typo: seed, call: core.syntheticMovieLens as never },
  'loadMovieLens(options)': {
    valid: { env: { SHORTLIST_OFFLINE: '1' }, home: folder },
    typo: ['folders', 'folder'],
    call: node.loadMovieLens as never,
  },
};
