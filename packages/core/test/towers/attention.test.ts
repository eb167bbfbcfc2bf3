/**
 * Sequences read by attention, from raw lists to bundles: a rule of their order is learned that no sum can learn; the same
 * bits on any number of threads, after a resumed run and from a bundle; empty, long and damaged input.
 */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { bundleFromBytes, bundleToBytes } from '../../src/bundle/bundle.ts';
import type { BagColumn } from '../../src/features/contract.ts';
import type { FeatureSet } from '../../src/features/feature-set.ts';
import { learnFeatures } from '../../src/features/learn-features.ts';
import type { AttentionOptions, ListFeatureSpec } from '../../src/features/spec.ts';
import { loadPart, readSaved } from '../../src/format/part.ts';
import { containerSections, type Saved } from '../../src/format/saved.ts';
import { bytesSource } from '../../src/format/source.ts';
import { LazyAdam } from '../../src/optimizers/adam.ts';
import { Runtime } from '../../src/parallel/runtime.ts';
import { Generator } from '../../src/random/generator.ts';
import { FitAbortedError } from '../../src/retrieval/checkpoint.ts';
import { TwoTowerModel } from '../../src/retrieval/model.ts';
import { parametersOf } from '../../src/retrieval/parameters.ts';
import { Retrieval } from '../../src/retrieval/task.ts';
import { BruteForce } from '../../src/topk/brute-force/brute-force.ts';
import { AttentionEncoder } from '../../src/towers/attention-encoder.ts';
import { createTowers } from '../../src/towers/create-towers.ts';
import { EncodedFeatures } from '../../src/towers/encoded-features.ts';
import type { Tower } from '../../src/towers/tower.ts';
import { exportWeights, importWeights } from '../../src/towers/weights.ts';
import { containerOf } from '../format/containers.ts';

type Query = { history: readonly string[] };

const LETTERS = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
const NEXT = LETTERS.map((letter) => letter.toUpperCase());
/** Lists of four letters with a mark before one of them, anywhere: the item after the list is the marked letter. */
const generator = new Generator(5);
const examples = Array.from({ length: 1500 }, () => {
  const letters = Array.from(generator.permutation(LETTERS.length).subarray(0, 4), (i) => LETTERS[i]!);
  const at = generator.below(letters.length);
  return { history: letters.toSpliced(at, 0, '*'), next: letters[at]!.toUpperCase() };
});
const heldOut = examples.slice(1200);
const pairsOf = (rows: typeof examples): { queries: Query[]; candidates: string[] } => ({
  queries: rows.map(({ history }) => ({ history })),
  candidates: rows.map(({ next }) => next),
});
/** Enough for a few steps. */
const pairs = pairsOf(examples.slice(0, 90));
const runtime = new Runtime({ threads: 2 });
const ATTENTION: ListFeatureSpec = { type: 'sequence', dimensions: 16, maxLength: 4, attention: { heads: 2 } };
const lists = [['b', 'a', 'f'], [], ['c'], ['nothing known', 'h', 'a', 'b', 'c']];
let features: FeatureSet;

const learn = (history: ListFeatureSpec): Promise<FeatureSet> =>
  learnFeatures({ history, next: { type: 'string', dimensions: 16 } }, [
    { history: [...LETTERS, '*'].map((word) => [word]) },
    { next: NEXT },
  ]);

before(async () => {
  features = await learn(ATTENTION);
});

function modelOf(set: FeatureSet, on = runtime, seed = 1): TwoTowerModel<Query, string> {
  const towers = createTowers<Query, string>({
    queryTower: { features: set.pick(['history']), normalize: true },
    candidateTower: { features: set.pick(['next']), normalize: true },
    seed,
    runtime: on,
  });
  const task = new Retrieval({ temperature: 0.1 });
  return new TwoTowerModel({ ...towers, task, optimizer: new LazyAdam({ learningRate: 0.01 }) });
}

function heldOutFound({ queryTower, candidateTower }: TwoTowerModel<Query, string>): number {
  const index = new BruteForce<Query, string>({ queryModel: queryTower, k: 1, runtime });
  index.index(candidateTower.embed(NEXT), NEXT);
  const found = index.call(heldOut.map(({ history }) => ({ history })));
  return heldOut.filter(({ next }, i) => found.identifiers(i)[0] === next).length / heldOut.length;
}

test('attention learns which item a mark stands before, which no sum by age can say', async () => {
  const found: number[] = [];
  const all: ListFeatureSpec = { type: 'sequence', dimensions: 16, maxLength: 5 };
  for (const history of [
    { ...all, attention: { dropout: 0 } },
    { ...all, recencyDecay: 0.5 },
  ]) {
    const model = modelOf(await learn(history));
    await model.fit(pairsOf(examples.slice(0, 1200)), { epochs: 20, batchSize: 64 });
    found.push(heldOutFound(model));
  }
  // Found by chance: 1/8; among the four letters of the list: 1/4.
  assert.ok(found[0]! > 0.9 && found[1]! < 0.4, found.join(', '));
});

const bitsOf = (model: TwoTowerModel<Query, string>): Float32Array[] =>
  parametersOf(model).map(({ data }) => data.slice());

test('the same bits on one and three threads, and after a run that was stopped and resumed', async () => {
  const options = { epochs: 3, batchSize: 40 };
  const one = modelOf(features, new Runtime({ threads: 1 }));
  await one.fit(pairs, options);
  const three = new Runtime({ threads: 3 });
  const stopped = modelOf(features, three);
  const stop = new AbortController();
  let steps = 0;
  const onProgress = (): void => void (++steps === 4 && stop.abort());
  const error = await stopped
    .fit(pairs, { ...options, signal: stop.signal, onProgress })
    .catch((reason: unknown) => reason);
  assert.ok(error instanceof FitAbortedError);
  const resumed = modelOf(features, three);
  await resumed.fit(pairs, { ...options, resume: error.checkpoint });
  three.pool.stop();
  assert.deepEqual(bitsOf(resumed), bitsOf(one));
});

test('a bundle answers with the same bits; an empty list gives zeros, and the last items of a long one are kept', async () => {
  const { queryTower, candidateTower } = modelOf(features);
  const index = new BruteForce<Query, string>({ queryModel: queryTower, runtime }).index(
    candidateTower.embed(NEXT),
    NEXT,
  );
  const bytes = bundleToBytes({ index, candidateTower: candidateTower as Tower<never> });
  const loaded = await bundleFromBytes<Query, string>(bytes, { runtime });
  const asked = lists.map((history) => ({ history }));
  const vectors = queryTower.embed(asked).data.slice();
  assert.deepEqual(loaded.queryTower!.embed(asked).data.slice(), vectors);
  assert.deepEqual(
    bundleToBytes({ index: loaded.index, candidateTower: loaded.candidateTower! as Tower<never> }),
    bytes,
  );
  assert.ok(vectors.subarray(16, 32).every((value) => value === 0));
  const vectorOf = (history: readonly string[]): number[] => [...queryTower.embed([{ history }]).row(0)];
  assert.deepEqual(vectorOf(lists[3]!), vectorOf(['h', 'a', 'b', 'c']));
  assert.notDeepEqual(vectorOf(['a', 'b', 'c']), vectorOf(['b', 'a', 'c']));
  assert.deepEqual(vectorOf(lists[0]!), [...vectors.subarray(0, 16)]);
});

test('a batch larger than a group of rows has the bits of its rows alone', () => {
  const { queryTower } = modelOf(features);
  const many = Array.from({ length: 2500 }, (_, i) => ({ history: lists[i % 4]! }));
  const [all, few] = [queryTower.embed(many).data.slice(), queryTower.embed(many.slice(0, 4)).data.slice()];
  for (const row of [0, 511, 512, 513, 2499]) {
    const [from, of] = [16 * row, 16 * (row % 4)];
    assert.deepEqual(all.slice(from, from + 16), few.slice(of, of + 16), `row ${row}`);
  }
});

test('weights are exchanged under names, and a frozen feature keeps its attention', async () => {
  const [one, two] = [modelOf(features), modelOf(features, runtime, 2)];
  const tensors = exportWeights(one.queryTower);
  const named = tensors.map(({ name, shape }) => `${name} ${shape.join('×')}`);
  assert.deepEqual(named.slice(0, 5), [
    'history.embeddings 10×16',
    'history.attention.positions 4×16',
    'history.attention.blocks.1.branches.1.0.gamma 16',
    'history.attention.blocks.1.branches.1.0.beta 16',
    'history.attention.blocks.1.branches.1.1.kernel 16×48',
  ]);
  importWeights(two.queryTower, tensors);
  const asked = lists.map((history) => ({ history }));
  const before = one.queryTower.embed(asked).data.slice();
  assert.deepEqual(two.queryTower.embed(asked).data.slice(), before);
  const frozen = new TwoTowerModel({ ...one, optimizer: { features: { history: 'frozen' } } });
  await frozen.fit(pairs, { epochs: 1 });
  assert.deepEqual(one.queryTower.embed(asked).data.slice(), before);
});

test('lists that are too long for the positions, and saved parts that do not fit, are refused', async () => {
  const { queryTower } = modelOf(features);
  const column: BagColumn = { kind: 'bags', offsets: Int32Array.of(0, 5), ids: new Int32Array(5), weights: undefined };
  assert.throws(
    () => queryTower.embedEncoded(new EncodedFeatures(1, [column])),
    /features: expected lists of at most 4 items, got 5 in row 0/,
  );
  const saved = queryTower.inputs[0]!.attention!.save();
  const read = (part: Saved, dimensions: number, maxLength: number): Promise<AttentionEncoder> => {
    const load = {
      attention: (root: Parameters<typeof AttentionEncoder.load>[0]) =>
        AttentionEncoder.load(root, dimensions, maxLength),
    };
    return readSaved(bytesSource(containerOf(containerSections(part))), (root) => loadPart(root, load), runtime);
  };
  assert.equal((await read(saved, 16, 4)).positions.vocabularySize, 4);
  await assert.rejects(read(saved, 16, 5), /expected positions and blocks of 5, 16, 16, 16, got 4, 16, 16, 16/);
  // Blocks without the layer that keeps the rows of last items beside the attention of these, or without both.
  const blocks = saved.parts!.blocks!;
  const withBlocks = (edit: (layer: Saved) => Saved): Saved => {
    const layers = Object.entries(blocks.parts!).map(([name, layer]) => [name, edit(layer)] as const);
    return { ...saved, parts: { ...saved.parts, blocks: { ...blocks, parts: Object.fromEntries(layers) } } };
  };
  const edited =
    (edit: (part: Saved) => Saved) =>
    (part: Saved): Saved => {
      const parts = Object.entries(part.parts ?? {}).map(([name, each]) => [name, edited(edit)(each)] as const);
      return edit(parts.length === 0 ? part : { ...part, parts: Object.fromEntries(parts) });
    };
  const all = (part: Saved): Saved =>
    part.kind === 'causalAttention' ? { ...part, settings: { ...part.settings, lastOnly: false } } : part;
  const noLast = (part: Saved): Saved =>
    part.kind === 'lastRows' ? { kind: 'dropout', settings: { inputs: 16, rate: 0, seed: 1 }, sections: [] } : part;
  await read(withBlocks(edited((part) => part)), 16, 4);
  for (const [edit, got] of [
    [all, 'layers that do not fit together'],
    [noLast, 'layers that do not fit together'],
    [(part: Saved) => noLast(all(part)), '2'],
  ] as const) {
    const message = new RegExp(`blocks: expected 1 state of a list of 2 items, got ${got}`);
    await assert.rejects(read(withBlocks(edited(edit)), 16, 4), message);
  }
  await assert.rejects(read(saved, 12, 4), /expected positions and blocks of 4, 12, 12, 12, got 4, 16, 16, 16/);
});

test('wrong options of attention are refused by name', async () => {
  const refused = (history: object, message: RegExp): Promise<void> =>
    assert.rejects(learn({ type: 'sequence', ...history } as ListFeatureSpec), message);
  const of = (attention: AttentionOptions | number): object => ({ attention });
  await refused(of(2), /attention: expected an object as an option of features\.history, got 2/);
  await refused(
    { attention: { head: 2 } },
    /features\.history\.attention: expected a known option, nearest is heads, got "head"/,
  );
  await refused(of({ heads: 0 }), /features\.history\.attention\.heads: expected an integer of at least 1, got 0/);
  await refused(of({ blocks: 1.5 }), /attention\.blocks: expected an integer from 1 to 64, got 1\.5/);
  await refused(of({ dropout: 1 }), /attention\.dropout: expected a number from 0 to below 1, got 1/);
  await refused({ type: 'bag', attention: {} }, /history\.attention: expected none for a bag, which has no order/);
  await refused({ attention: {}, recencyDecay: 0.5 }, /recencyDecay: expected none together with attention, got 0\.5/);
  await refused({ attention: {}, combiner: 'sum' }, /combiner: expected none together with attention, got "sum"/);
  const set = await learn({ type: 'sequence', dimensions: 16, attention: { heads: 3 } });
  assert.throws(
    () => modelOf(set),
    /features\.history\.attention\.heads: expected a divisor of the 16 dimensions, got 3/,
  );
});
