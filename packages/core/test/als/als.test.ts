/** Implicit ALS: data whose answer is known, its objective, folding in, and its place in a bundle. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AlsModel } from '../../src/als/als-fit.ts';
import { type AlsOptions, fitAls } from '../../src/als/fit-als.ts';
import type { FoldIn } from '../../src/als/fold-in.ts';
import { weightedByRecency } from '../../src/als/recency.ts';
import { AlsSide, eigenBasisOf, gramOf } from '../../src/als/solver.ts';
import { bundleFromBytes, bundleToBytes } from '../../src/bundle/bundle.ts';
import { itemsByUser, listOf } from '../../src/data/items-by-user.ts';
import { Runtime } from '../../src/parallel/runtime.ts';
import { Generator } from '../../src/random/generator.ts';
import { BruteForce } from '../../src/topk/brute-force/brute-force.ts';
import { Matrix } from '../../src/vectors/matrix.ts';
import { referenceRuntime } from '../kernels/variants.ts';
import { checkerboard, interactionsFrom } from '../recommenders/worlds.ts';

const runtime = new Runtime({ threads: 2 });
const SMALL: AlsOptions = { dimensions: 4, iterations: 10, unobservedWeight: 0.1, regularization: 0.01, runtime };

/** A user's or a history's first items that are not excluded. */
function best(model: AlsModel, query: string | readonly string[], exclude: readonly string[], k = 1): string[] {
  const index = new BruteForce<string | readonly string[], string>({ queryModel: model.queryModel });
  return index.index(model.candidates, model.identifiers).queryWithExclusions([query], exclude, k).identifiers();
}

test('the missing square of a checkerboard is found for users and for histories', async () => {
  const board = checkerboard(20);
  const model = await fitAls(board, SMALL);
  const lists = itemsByUser(board);
  for (const user of [0, 7, 19]) {
    const history = Array.from(listOf(lists, user), (item) => `i${item}`);
    assert.deepEqual(best(model, `u${user}`, history), [`i${user}`]);
    assert.deepEqual(best(model, history.slice(0, 5), history), [`i${user}`], 'a new user with five items');
  }
});

test('the history a user was trained on folds in to the row of that user, bit for bit', async () => {
  const board = checkerboard(20);
  const { queryModel } = await fitAls(board, SMALL);
  const history = Array.from(listOf(itemsByUser(board), 3), (item) => `i${item}`);
  const [known, folded] = [vectors(queryModel, ['u3'])[0]!, vectors(queryModel, [history])[0]!];
  assert.deepEqual(folded, known);
  const [mean, unknown, nothing, repeated] = vectors(queryModel, [
    'nobody',
    ['nothing'],
    [],
    [...history, ...history, 'nothing'],
  ]);
  assert.deepEqual(unknown, mean);
  assert.deepEqual(nothing, mean);
  assert.deepEqual(repeated, known, 'an item counts once and an unknown one does not');
  assert.throws(() => queryModel.embed([7 as unknown as string]), { code: 'ERR_OPTION' });
  assert.throws(() => queryModel.embed([[7 as unknown as string]]), { code: 'ERR_OPTION' });
});

function vectors(model: FoldIn, queries: readonly (string | readonly string[])[]): number[][] {
  const embedded = model.embed(queries);
  return queries.map((_, row) => [...embedded.row(row)]);
}

test('every iteration lowers the objective, which is that of the paper', async () => {
  const generator = new Generator(4);
  const rows = interactionsFrom(
    Array.from({ length: 400 }, (_, i): [string, string] => [`u${i % 40}`, `i${generator.below(60)}`]),
  );
  const lists = itemsByUser(rows);
  const objective = { unobservedWeight: 0.2, regularization: 0.05, exponent: 0.5 };
  const loss = async (iterations: number): Promise<number> => {
    const { queryModel } = await fitAls(rows, { ...SMALL, ...objective, dimensions: 6, iterations });
    const { userFactors, itemFactors } = queryModel.parts;
    const [users, items] = [lists.starts.length - 1, lists.codeCount];
    const counts = new Int32Array(items);
    for (const item of lists.codes) counts[item]!++;
    let sum = 0;
    const length = (row: Float32Array): number => row.reduce((total, value) => total + value * value, 0);
    for (let u = 0; u < users; u++) {
      const own = userFactors.row(u + 1);
      const history = new Set(listOf(lists, u));
      sum += 0.05 * (history.size + 0.2 * items) ** 0.5 * length(own);
      for (let i = 0; i < items; i++) {
        const score = itemFactors.row(i).reduce((total, value, t) => total + value * own[t]!, 0);
        sum += 0.2 * score * score + (history.has(i) ? (1 - score) ** 2 : 0);
      }
    }
    for (let i = 0; i < items; i++) sum += 0.05 * (counts[i]! + 0.2 * users) ** 0.5 * length(itemFactors.row(i));
    return sum;
  };
  const losses = [await loss(1), await loss(2), await loss(4), await loss(12)];
  for (let i = 1; i < losses.length; i++) assert.ok(losses[i]! < losses[i - 1]!, losses.join(' '));
});

test('the same bits for any number of threads and for the readable kernels', async () => {
  const board = checkerboard(30);
  const bits = async (where: Runtime): Promise<number[]> => [
    ...(await fitAls(board, { ...SMALL, runtime: where })).candidates.data,
  ];
  const alone = await bits(new Runtime({ threads: 1 }));
  assert.deepEqual(await bits(runtime), alone);
  assert.deepEqual(await bits(referenceRuntime), alone);
});

test('a side is solved in the basis of the eigenvectors as without it', () => {
  const lists = itemsByUser(checkerboard(20));
  const generator = new Generator(6);
  const factors = Matrix.from(
    'factors',
    { data: Float32Array.from({ length: 20 * 16 }, () => generator.normal()), dimensions: 16 },
    runtime,
  );
  const side = new AlsSide(lists, factors, { unobservedWeight: 0.2, regularization: 0.05, exponent: 1 });
  assert.equal(side.isShort, false, 'twenty lists are too few for it to be worth while');
  const gram = gramOf(factors, 0.2);
  const [plain, turned] = [new Matrix(20, 16, runtime), new Matrix(20, 16, runtime)];
  side.solve(factors, gram, plain);
  const eigen = eigenBasisOf(factors, gram);
  side.solve(factors, gram, turned, 0, 20, eigen);
  plain.data.forEach((value, i) => assert.ok(Math.abs(value - turned.data[i]!) < 1e-4, `${value}, ${turned.data[i]}`));
  eigen.free();
  side.free();
});

test('weights count: a user weighs one taste more than another', async () => {
  const rows = interactionsFrom([
    ['a', 'x'],
    ['b', 'x'],
    ['c', 'y'],
    ['d', 'y'],
    ['a', 'x2'],
    ['b', 'x2'],
    ['c', 'y2'],
    ['d', 'y2'],
    ['e', 'x'],
    ['e', 'y'],
  ]);
  for (const [weights, wanted] of [
    [[9, 1], 'x2'],
    [[1, 9], 'y2'],
  ] as const) {
    const weighted = { ...rows, weights: Float32Array.of(...new Array(8).fill(1), ...weights) };
    assert.deepEqual(best(await fitAls(weighted, SMALL), 'e', ['x', 'y']), [wanted]);
  }
});

/** Users of one taste, and one who went over from the first items to the second. */
function changedTaste(): ReturnType<typeof interactionsFrom> {
  const groups = [
    ['x1', 'x2', 'x3', 'x4', 'x5'],
    ['y1', 'y2', 'y3', 'y4', 'y5'],
  ];
  const pairs = groups.flatMap((items, group) =>
    Array.from({ length: 8 }, (_, user) =>
      items.filter((_, i) => i !== user % 5).map((item): [string, string] => [`${group}${user}`, item]),
    ).flat(),
  );
  const changed = ['x1', 'x2', 'x3', 'x4', 'y1', 'y2'].map((item): [string, string] => ['changed', item]);
  return interactionsFrom([...pairs, ...changed]);
}

test('recency: what a user chose last decides, for users and for histories, and 0 changes nothing', async () => {
  const rows = changedTaste();
  const seen = ['x1', 'x2', 'x3', 'x4', 'y1', 'y2'];
  const plain = await fitAls(rows, SMALL);
  const turnedBack = [...seen].reverse();
  assert.deepEqual(best(plain, turnedBack, seen), best(plain, seen, seen), 'without recency the order does not count');
  const recent = await fitAls(rows, { ...SMALL, recencyHalfLife: 0.5 });
  assert.match(best(recent, 'changed', seen)[0]!, /^y/);
  assert.match(best(recent, turnedBack, seen)[0]!, /^x/);
  assert.deepEqual(recent.candidates.data, plain.candidates.data, 'items do not age');
  const [row, folded, turned, again] = vectors(recent.queryModel, ['changed', seen, turnedBack, ['y2', 'y1', ...seen]]);
  assert.deepEqual(folded, row, 'bit for bit');
  assert.notDeepEqual(turned, row, 'the order counts');
  assert.deepEqual(again, row, 'an item counts where it stands last');
  const none = await fitAls(rows, { ...SMALL, recencyHalfLife: 0 });
  assert.deepEqual(vectors(none.queryModel, ['changed']), vectors(plain.queryModel, ['changed']));
  await assert.rejects(fitAls(rows, { ...SMALL, recencyHalfLife: -1 }), { code: 'ERR_OPTION' });
});

test('weights fall by half every half-life, from the last', () => {
  const lists = { starts: Int32Array.of(0, 3, 3, 5), codes: Int32Array.of(4, 2, 7, 1, 0), codeCount: 8 };
  const { weights, ...rest } = weightedByRecency(lists, 2);
  assert.deepEqual(rest, lists);
  assert.deepEqual([...weights!], [0.5, Math.fround(Math.SQRT1_2), 1, Math.fround(Math.SQRT1_2), 1]);
  const own = weightedByRecency({ ...lists, weights: Float32Array.of(2, 2, 2, 3, 3) }, 1);
  assert.deepEqual([...own.weights!], [0.5, 1, 2, 1.5, 3]);
  assert.equal(weightedByRecency(lists, 0), lists);
});

test('a bundle with factors answers users and histories as before', async () => {
  const board = checkerboard(20);
  const model = await fitAls(board, SMALL);
  const index = new BruteForce<string | readonly string[], string>({ queryModel: model.queryModel, k: 3 });
  index.index(model.candidates, model.identifiers);
  const bytes = bundleToBytes({ index, metadata: { made: 'by ALS' } });
  // Without recency the settings are those of files from before it.
  assert.deepEqual(Object.keys(model.queryModel.save().settings as object), [
    'dimensions',
    'unobservedWeight',
    'regularization',
    'exponent',
  ]);
  const loaded = await bundleFromBytes<string | readonly string[], string>(bytes, { runtime });
  const queries = ['u3', 'nobody', ['i1', 'i3'], []];
  const [before, after] = [index.call(queries), loaded.index.call(queries)];
  assert.deepEqual(after.scores, before.scores);
  queries.forEach((_, q) => assert.deepEqual(after.identifiers(q), before.identifiers(q)));
  assert.equal(loaded.index.queryModel, loaded.foldIn);
  assert.equal(loaded.queryTower, undefined);
  assert.deepEqual(bundleToBytes(loaded), bytes);
  const { queryModel, candidates, identifiers } = await fitAls(board, { ...SMALL, recencyHalfLife: 2 });
  const recent = new BruteForce<string | readonly string[], string>({ queryModel }).index(candidates, identifiers);
  const { foldIn } = await bundleFromBytes<string | readonly string[], string>(bundleToBytes({ index: recent }), {
    runtime,
  });
  assert.deepEqual(vectors(foldIn!, [['i1', 'i3']]), vectors(queryModel, [['i1', 'i3']]));
});

test('what cannot be fitted is refused, and an interruption is one', async () => {
  const board = checkerboard(6);
  const refused = (options: AlsOptions, code: string): Promise<void> =>
    assert.rejects(fitAls(board, { runtime, ...options }), { code });
  await refused({ dimensions: 0 }, 'ERR_OPTION');
  await refused({ regularization: 0 }, 'ERR_OPTION');
  await refused({ unobservedWeight: -1 }, 'ERR_OPTION');
  await refused({ iterations: 0.5 }, 'ERR_OPTION');
  await refused({ signal: AbortSignal.abort() }, 'ERR_ABORTED');
  const none = {
    ...board,
    length: 0,
    users: { ...board.users, codes: new Int32Array(0) },
    items: { ...board.items, codes: new Int32Array(0) },
  };
  await assert.rejects(fitAls(none, { runtime }), { code: 'ERR_SHAPE' });
});
