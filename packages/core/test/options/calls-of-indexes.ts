/** Valid calls of what indexes offer: the object that a method belongs to, and its arguments. */

import { join } from 'node:path';
import { saveBundle } from '../../src/entries/node.ts';
import { source } from './calls-of-training.ts';
import {
  asyncSink,
  bundled,
  exact,
  folder,
  interactions,
  points,
  query,
  runtime,
  scann,
  sink,
  streaming,
} from './fixtures.ts';
import * as core from './public-api.ts';
import type { Call } from './wrong-arguments.ts';

const filtered = (): core.GroupFilter => scann().compileFilter(undefined);
const seen = (): core.SeenItems => core.SeenItems.fromInteractions(interactions) as core.SeenItems;
const result = (): core.TopKResult<core.Identifier> => exact().call(query, 3);
const one = [[1, 2, 3, 4]];
const change = { begin: function* (): Generator<void, void> {} };
const access = (): core.IndexAccess => new core.IndexAccess();

/** The methods that every index has that is searched. */
function searching(make: () => object): Record<string, Call> {
  return {
    call: { of: make, arguments: () => [query, 3] },
    callAsync: { of: make, arguments: () => [query, 3] },
    queryWithExclusions: { of: make, arguments: () => [query, [1], 3] },
    indexFromDataset: { of: make, arguments: () => [[points()]] },
  };
}

/** The methods that every index has that holds its candidates. */
function updating(make: () => object): Record<string, Call> {
  return {
    ...searching(make),
    index: { of: make, arguments: () => [one, ['east'], {}] },
    indexAsync: { of: make, arguments: () => [one, ['east'], {}] },
    hasCandidate: { of: make, arguments: () => [1] },
    candidate: { of: make, arguments: () => [1] },
    candidateVectors: { of: make, arguments: () => [[1]] },
    upsert: { of: make, arguments: () => [[1], one] },
    upsertAsync: { of: make, arguments: () => [[1], one] },
    delete: { of: make, arguments: () => [[1]] },
    deleteAsync: { of: make, arguments: () => [[1]] },
    reserve: { of: make, arguments: () => [8] },
    reserveAsync: { of: make, arguments: () => [8] },
  };
}

const of = (name: string, calls: Record<string, Call>): Record<string, Call> =>
  Object.fromEntries(Object.entries(calls).map(([method, call]) => [`${name}.${method}`, call]));

export const INDEX_CALLS: Readonly<Record<string, Call>> = {
  ...of('BruteForce', updating(exact)),
  ...of('ScaNN', updating(scann)),
  ...of('Streaming', searching(streaming)),
  BruteForce: { arguments: () => [{}] },
  ScaNN: { arguments: () => [{}] },
  Streaming: { arguments: () => [{}] },
  'ScaNN.setSearchSettings': { of: scann, arguments: () => [{ numReorderingCandidates: 20 }] },
  'ScaNN.checkMemory': { of: scann, arguments: () => [10, 4] },
  'ScaNN.effort': { of: scann, arguments: () => [3] },
  'ScaNN.callExactly': { of: scann, arguments: () => [query, 3] },
  'ScaNN.compileFilter': { of: scann, arguments: () => [undefined] },
  'ScaNN.rebalance': { of: scann, arguments: () => [{}] },
  TopKResult: { arguments: () => [1, Int32Array.of(1), Float32Array.of(1), Int32Array.of(0), (row: number) => row] },
  'TopKResult.identifierOf': { of: result, arguments: () => [0] },
  'TopKResult.identifiers': { of: result, arguments: () => [0] },
  'TopKResult.scoresOf': { of: result, arguments: () => [0] },
  'TopKResult.rowsOf': { of: result, arguments: () => [0] },
  'TopKResult.hits': { of: result, arguments: () => [0] },
  'GroupFilter.words': { of: filtered, arguments: () => [0] },
  'GroupFilter.slotCount': { of: filtered, arguments: () => [0] },
  'GroupFilter.slots': { of: filtered, arguments: () => [0] },
  'GroupFilter.passes': { of: filtered, arguments: () => [0] },
  Identifiers: { arguments: () => [2, ['a', 'b'], 0] },
  'Identifiers.part': { of: () => new core.Identifiers<string>(1, ['a']), arguments: () => [Int32Array.of(0)] },
  'Identifiers.add': { of: () => new core.Identifiers<string>(1, ['a']), arguments: () => ['b'] },
  'Identifiers.forEachRow': { of: () => new core.Identifiers<string>(1, ['a']), arguments: () => ['a', () => {}] },
  'Identifiers.forEachRowOf': { of: () => new core.Identifiers<string>(1, ['a']), arguments: () => [['a'], () => {}] },
  'IndexAccess.read': { of: access, arguments: () => ['save', async () => 1] },
  'IndexAccess.search': { of: access, arguments: () => ['call', async () => 1] },
  'IndexAccess.change': { of: access, arguments: () => ['upsert', () => 1, {}] },
  'IndexAccess.changeInSteps': { of: access, arguments: () => ['rebalance', change] },
  'IndexAccess.checkChange': { of: access, arguments: () => ['upsert', 'upsertAsync'] },
  isApproximate: { arguments: () => [exact()] },
  isAsync: { arguments: () => [exact()] },
  isRebalancing: { arguments: () => [exact()] },
  isUpdatable: { arguments: () => [exact()] },
  joinedLists: { arguments: () => [[1], [2]] },
  similar: { arguments: () => [exact(), 1, 3] },
  similarAsync: { arguments: () => [exact(), 1, 3] },
  similarityVector: { arguments: () => [exact(), 1] },
  searchSimilar: { arguments: () => [exact(), core.Matrix.from('v', one, runtime), { k: 3 }] },
  searchSimilarAsync: {
    arguments: () => [exact(), core.Matrix.from('v', one, runtime), { k: 3 }, undefined],
  },
  bySimilarity: { arguments: () => [exact()] },
  callWithRules: { arguments: () => [exact(), query, { pin: [1] }, { k: 3 }] },
  callWithRulesAsync: { arguments: () => [exact(), query, { pin: [1] }, { k: 3 }, undefined] },
  mmrCandidates: { arguments: () => [3] },
  indexStreamed: {
    arguments: () => [new core.ScaNN({ numLeaves: 2, runtime }), () => [points()], { runs: core.memoryRuns() }],
  },
  buildBundle: {
    arguments: () => [
      join(folder, 'built'),
      { index: new core.ScaNN({ numLeaves: 2, runtime }) },
      () => [points()],
      {},
    ],
  },
  tune: { arguments: () => [scann(), { queries: points(), targetRecall: 0.5 }] },
  tuneBuild: { arguments: () => [{ candidates: points(), queries: points(), targetRecall: 0.5, options: {} }] },
  autopilot: { arguments: () => [1000, 4, 3] },
  segmentsOf: { arguments: () => [2 ** 22] },
  paretoFront: { arguments: () => [[{ recall: 0.5, latencyMs: 1 }]] },
  recallOf: { arguments: () => [result(), result()] },
  historyVectors: { arguments: () => [bundled().index, [['movie 1']]] },
  splitHistory: { arguments: () => [bundled().index, ['movie 1']] },
  'SeenItems.empty': { arguments: () => [{}] },
  'SeenItems.fromInteractions': { arguments: () => [interactions, {}] },
  'SeenItems.itemsOf': { of: seen, arguments: () => ['x'] },
  'SeenItems.exclusions': { of: seen, arguments: () => [['x']] },
  'SeenItems.historyOf': { of: seen, arguments: () => ['x', true] },
  'SeenItems.userOf': { of: seen, arguments: () => ['x'] },
  'SeenItems.add': { of: seen, arguments: () => ['x', ['y']] },
  userKey: { arguments: () => ['x'] },
  saveIndex: { arguments: () => [exact()] },
  bundleToBytes: { arguments: () => [bundled()] },
  bundleFromBytes: { arguments: () => [core.bundleToBytes(bundled()), {}] },
  readBundle: { arguments: () => [source(core.bundleToBytes(bundled())), {}] },
  writeBundle: { arguments: () => [bundled(), sink] },
  writeBundleAsync: { arguments: () => [bundled(), asyncSink] },
  saveBundle: { arguments: () => [join(folder, 'call'), bundled(), {}] },
  loadBundle: { of: () => saveBundle(join(folder, 'call'), bundled()), arguments: () => [join(folder, 'call'), {}] },
  fileRuns: { arguments: () => [folder] },
  kindOfEntry: { arguments: () => [{ isDirectory: () => true }] },
  systemReason: { arguments: () => ['x'] },
  unfinishedPath: { arguments: () => [join(folder, 'call')] },
  removeUnfinished: { arguments: () => [join(folder, 'call')] },
  removeAbandoned: { arguments: () => [join(folder, 'call'), () => false] },
};
