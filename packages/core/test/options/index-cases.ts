/** Options objects of indexes, of their calls, of tuning and of bundles: what each accepts, a misspelling, and the call that takes it. */
import { join } from 'node:path';
import * as node from '../../src/entries/node.ts';
import {
  asyncSink,
  bundled,
  type Case,
  contents,
  exact,
  folder,
  interactions,
  loading,
  model,
  points,
  query,
  scann,
  sink,
  streaming,
} from './fixtures.ts';
import * as core from './public-api.ts';

export const INDEX_CASES: Record<string, Case> = {
  'SeenItems.empty(options)': {
    valid: { excludeSeen: false, itemType: 'number' },
    typo: ['excludesSeen', 'excludeSeen'],
    call: (o) => core.SeenItems.empty(o),
  },
  'SeenItems.fromInteractions(options)': {
    valid: { seenAsHistory: 'always', userFeature: 'user' },
    typo: ['userFeatures', 'userFeature'],
    call: (o) => core.SeenItems.fromInteractions(interactions, o),
  },
  'BruteForce(options)': {
    valid: { segments: core.segmentsOf(2 ** 20) },
    typo: ['coarseCode', 'coarseCodes'],
    call: (o) => new core.BruteForce(o),
  },
  'ScaNN(options)': {
    valid: { numLeaves: 8 },
    typo: ['numLeafs', 'numLeaves'],
    call: (o) => new core.ScaNN(o),
  },
  'ScaNN.index(options)': {
    valid: { transfer: false },
    typo: ['transfers', 'transfer'],
    call: (o) => new core.ScaNN().index([[1, 0]], ['east'], o),
  },
  'indexStreamed(options)': {
    valid: { runs: core.memoryRuns() },
    typo: ['run', 'runs'],
    call: (o) => core.indexStreamed(new core.ScaNN(), () => [points()], o),
  },
  'buildBundle(contents)': {
    valid: { index: new core.ScaNN() },
    typo: ['indexes', 'index'],
    call: (o) => node.buildBundle(join(folder, 'built'), o, () => [points()]),
  },
  'buildBundle(options)': {
    valid: { memoryBytes: 2 ** 31 },
    typo: ['memory', 'memoryBytes'],
    call: (o) => node.buildBundle(join(folder, 'built'), { index: new core.ScaNN() }, () => [points()], o),
  },
  'ScaNN.setSearchSettings(settings)': {
    valid: { numLeavesToSearch: 3 },
    typo: ['leavesToSearch', 'numLeavesToSearch'],
    call: (o) => new core.ScaNN().setSearchSettings(o),
  },
  'Streaming(options)': {
    valid: {},
    typo: ['datasets', 'dataset'],
    call: (o) => new core.Streaming(o),
  },
  'tuneBuild(how).options': {
    valid: { k: 3 },
    typo: ['numLeafs', 'numLeaves'],
    call: (options) => core.tuneBuild({ candidates: points(), queries: points(), targetRecall: 0.5, options }),
  },
  'BruteForce.call(k)': {
    refused: [null, 'ten'],
    valid: { k: 3 },
    typo: ['excludes', 'exclude'],
    call: (o) => exact().call(query, o),
  },
  'BruteForce.callAsync(k)': {
    refused: [null, 'ten'],
    valid: { k: 3 },
    typo: ['excludes', 'exclude'],
    call: (o) => exact().callAsync(query, o),
  },
  'BruteForce.queryWithExclusions(k)': {
    refused: [null, 'ten'],
    valid: { k: 3 },
    typo: ['excludes', 'exclude'],
    call: (o) => exact().queryWithExclusions(query, [1], o),
  },
  'ScaNN.call(k)': {
    refused: [null, 'ten'],
    valid: { k: 3 },
    typo: ['leaves', 'leavesToSearch'],
    call: (o) => scann().call(query, o),
  },
  'ScaNN.callAsync(k)': {
    refused: [null, 'ten'],
    valid: { k: 3 },
    typo: ['leaves', 'leavesToSearch'],
    call: (o) => scann().callAsync(query, o),
  },
  'ScaNN.queryWithExclusions(k)': {
    refused: [null, 'ten'],
    valid: { k: 3 },
    typo: ['leaves', 'leavesToSearch'],
    call: (o) => scann().queryWithExclusions(query, [1], o),
  },
  'Streaming.call(k)': {
    refused: [null, 'ten'],
    valid: { k: 3 },
    typo: ['includes', 'include'],
    call: (o) => streaming().call(query, o),
  },
  'Streaming.callAsync(k)': {
    refused: [null, 'ten'],
    valid: { k: 3 },
    typo: ['includes', 'include'],
    call: (o) => streaming().callAsync(query, o),
  },
  'Streaming.queryWithExclusions(k)': {
    refused: [null, 'ten'],
    valid: { k: 3 },
    typo: ['includes', 'include'],
    call: (o) => streaming().queryWithExclusions(query, [1], o),
  },
  'similar(k)': {
    refused: [null, 'ten'],
    valid: { k: 3 },
    typo: ['excludes', 'exclude'],
    call: (o) => core.similar(exact() as never, 1, o),
  },
  'similarAsync(k)': {
    refused: [null, 'ten'],
    valid: { k: 3 },
    typo: ['leavesToSerch', 'leavesToSearch'],
    call: (o) => core.similarAsync(scann() as never, 1, o),
  },
  'BruteForce.indexAsync(options)': {
    valid: {},
    typo: ['sinal', 'signal'],
    call: (o) => exact().indexAsync(points(), undefined, o),
  },
  'ScaNN.indexAsync(options)': {
    valid: {},
    typo: ['onprogres', 'onProgress'],
    call: (o) => scann().indexAsync(points(), undefined, o),
  },
  'ScaNN.rebalance(options)': {
    valid: {},
    typo: ['signals', 'signal'],
    call: (o) => scann().rebalance(o),
  },
  'tune(options)': {
    valid: { queries: points(), targetRecall: 0.5 },
    typo: ['target', 'targetRecall'],
    call: (o) => core.tune(scann(), o),
  },
  'tuneBuild(how)': {
    valid: { candidates: points(), queries: points(), targetRecall: 0.5 },
    typo: ['candidate', 'candidates'],
    call: (o) => core.tuneBuild(o),
  },
  'bundleToBytes(contents)': contents,
  'writeBundle(contents)': { ...contents, call: (o) => core.writeBundle(o, sink) },
  'writeBundleAsync(contents)': { ...contents, call: (o) => core.writeBundleAsync(o, asyncSink) },
  'saveBundle(contents)': { ...contents, call: (o) => node.saveBundle(join(folder, 'contents'), o) },
  'saveBundle(options)': {
    valid: {},
    typo: ['nonBlockin', 'nonBlocking'],
    call: (o) => node.saveBundle(join(folder, 'options'), bundled(), o),
  },
  'readBundle(options)': { ...loading, call: (o) => core.bundleFromBytes(core.bundleToBytes(bundled()), o) },
  'bundleFromBytes(options)': { ...loading, call: (o) => core.bundleFromBytes(core.bundleToBytes(bundled()), o) },
  'loadBundle(options)': {
    ...loading,
    call: async (o) => {
      await node.saveBundle(join(folder, 'loaded'), bundled());
      return node.loadBundle(join(folder, 'loaded'), o);
    },
  },
  'loadCheckpoint(options)': {
    ...loading,
    call: async (o) => {
      await node.saveCheckpoint(
        join(folder, 'checkpoint'),
        core.takeCheckpoint(model(), { epoch: 0, step: 0, losses: [], epochs: [], best: undefined }),
      );
      return node.loadCheckpoint(join(folder, 'checkpoint'), o);
    },
  },
  'callWithRules(rules)': {
    valid: { perValue: {} },
    typo: ['perValues', 'perValue'],
    call: (o) => core.callWithRules(exact(), query, o),
  },
  'callWithRules(rules).mmr': {
    valid: { weight: 0.5 },
    typo: ['candidate', 'candidates'],
    call: (mmr) => core.callWithRules(exact(), query, { mmr } as core.Rules<core.Identifier>),
  },
  'callWithRulesAsync(rules)': {
    valid: { pin: [] },
    typo: ['pins', 'pin'],
    call: (o) => core.callWithRulesAsync(exact(), query, o),
  },
  'callWithRulesAsync(rules).mmr': {
    valid: { weight: 0.5 },
    typo: ['weights', 'weight'],
    call: (mmr) => core.callWithRulesAsync(exact(), query, { mmr } as core.Rules<core.Identifier>),
  },
};
