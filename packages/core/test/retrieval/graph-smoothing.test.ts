/** Smoothing over the graph of interactions: the formula of LightGCN, in double precision, on graphs and towers. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dictionaryColumn, type Interactions } from '../../src/data/interactions.ts';
import { type CodeLists, itemsByUser } from '../../src/data/items-by-user.ts';
import { Generator } from '../../src/random/generator.ts';
import { smoothOverGraph, smoothTowers, smoothTowersByLayers } from '../../src/retrieval/graph-smoothing.ts';
import { Tower } from '../../src/towers/tower.ts';
import { Matrix } from '../../src/vectors/matrix.ts';

const D = 5;

function interactionsOf(pairs: readonly (readonly [string, string, number])[]): Interactions {
  return {
    users: dictionaryColumn(pairs.map(([user]) => user)),
    items: dictionaryColumn(pairs.map(([, item]) => item)),
    weights: Float32Array.from(pairs, ([, , weight]) => weight),
    length: pairs.length,
  };
}

const INTERACTIONS = interactionsOf([
  ['ann', 'x', 1],
  ['ann', 'y', 2],
  ['bob', 'y', 1],
  ['bob', 'z', 1],
  ['cid', 'z', 4],
]);

function randomMatrix(rows: number, seed: number): Matrix {
  const generator = new Generator(seed);
  const matrix = new Matrix(rows, D);
  matrix.data.set(Float32Array.from({ length: rows * D }, () => generator.normal()));
  return matrix;
}

/** The formula with one dense matrix over users and items. */
function expected(lists: CodeLists, rows: readonly number[][], layers: number): number[][] {
  const users = lists.starts.length - 1;
  const size = users + lists.codeCount;
  const edges = Array.from({ length: size }, () => new Array<number>(size).fill(0));
  for (let user = 0; user < users; user++) {
    for (let i = lists.starts[user]!; i < lists.starts[user + 1]!; i++) {
      const item = users + lists.codes[i]!;
      edges[user]![item] = edges[item]![user] = lists.weights?.[i] ?? 1;
    }
  }
  const degrees = edges.map((row) => row.reduce((sum, weight) => sum + weight, 0));
  const spread = (from: readonly number[][]): number[][] =>
    edges.map((row, a) =>
      from[0]!.map((_, t) =>
        row.reduce((sum, w, b) => sum + (w === 0 ? 0 : (w / Math.sqrt(degrees[a]! * degrees[b]!)) * from[b]![t]!), 0),
      ),
    );
  let last = rows.map((row) => [...row]);
  const sum = rows.map((row) => [...row]);
  for (let layer = 0; layer < layers; layer++) {
    last = spread(last);
    sum.forEach((row, a) => row.forEach((_, t) => (row[t]! += last[a]![t]!)));
  }
  return sum.map((row) => row.map((x) => x / (layers + 1)));
}

const rowsOf = (matrix: Matrix): number[][] => Array.from({ length: matrix.rows }, (_, row) => [...matrix.row(row)]);

function assertClose(found: readonly number[][], wanted: readonly number[][]): void {
  found.forEach((row, a) =>
    row.forEach((x, t) =>
      assert.ok(Math.abs(x - wanted[a]![t]!) < 1e-6, `row ${a}, column ${t}: ${x}, ${wanted[a]![t]}`),
    ),
  );
}

test('the rows are those of the formula, with weights and without, for every number of layers', () => {
  const weighted = itemsByUser(INTERACTIONS);
  for (const lists of [weighted, { ...weighted, weights: undefined }]) {
    const [users, items] = [randomMatrix(3, 1), randomMatrix(3, 2)];
    for (const layers of [0, 1, 2, 3]) {
      const smoothed = smoothOverGraph({ users, items }, lists, { layers });
      const wanted = expected(lists, [...rowsOf(users), ...rowsOf(items)], layers);
      assertClose([...rowsOf(smoothed.users), ...rowsOf(smoothed.items)], wanted);
    }
  }
});

test('users who chose the same item come closer; a row without interactions stays as it is', () => {
  const lists: CodeLists = { starts: Int32Array.of(0, 1, 2, 2), codes: Int32Array.of(0, 0), codeCount: 1 };
  const users = randomMatrix(3, 3);
  const smoothed = smoothOverGraph({ users, items: randomMatrix(1, 4) }, lists, { layers: 1 });
  const distance = ([a, b]: number[][]): number => Math.hypot(...a!.map((x, t) => x - b![t]!));
  assert.ok(distance(rowsOf(smoothed.users)) < 0.6 * distance(rowsOf(users)));
  assert.deepEqual(rowsOf(smoothed.users)[2], rowsOf(users)[2]);
});

test('towers of identifiers are smoothed in place: their vectors are those of the formula', () => {
  const { users, items } = INTERACTIONS;
  const tower = (vocabulary: readonly string[], seed: number): Tower =>
    Tower.create({ vocabulary, dimensions: D, seed });
  // The towers know more words, in another order.
  const query = tower(['eve', ...[...users.vocabulary].reverse()], 5);
  const candidate = tower([...items.vocabulary, 'w'], 6);
  const before = [...rowsOf(query.embed(users.vocabulary)), ...rowsOf(candidate.embed(items.vocabulary))];
  const eve = [...query.embed(['eve']).row(0)];
  smoothTowers(query, candidate, INTERACTIONS, { layers: 2 });
  const after = [...rowsOf(query.embed(users.vocabulary)), ...rowsOf(candidate.embed(items.vocabulary))];
  assertClose(after, expected(itemsByUser(INTERACTIONS), before, 2));
  assert.deepEqual([...query.embed(['eve']).row(0)], eve);
});

test('bad input is refused by name', () => {
  const lists = itemsByUser(INTERACTIONS);
  const [users, items] = [randomMatrix(3, 1), randomMatrix(3, 2)];
  assert.throws(
    () => smoothOverGraph({ users, items: randomMatrix(4, 2) }, lists),
    /items: expected 3 × 5 .* got 4 × 5/,
  );
  assert.throws(() => smoothOverGraph({ users, items }, lists, { layers: 1.5 }), /layers/);
  assert.throws(() => smoothOverGraph({ users, items }, lists, { layer: 1 } as object), /nearest is layers/);
  const tower = Tower.create({ vocabulary: ['ann', 'bob', 'cid'], dimensions: D });
  const incomplete = Tower.create({ vocabulary: ['x', 'y'], dimensions: D });
  assert.throws(() => smoothTowers(tower, incomplete, INTERACTIONS), /candidateTower knows, got z/);
  const deep = Tower.create({ vocabulary: ['x', 'y', 'z'], dimensions: D, dense: [D] });
  assert.throws(() => smoothTowers(tower, deep, INTERACTIONS), /candidateTower: expected a tower of one feature/);
});

test('one iteration over the numbers of layers gives the tables of each number, bit for bit', () => {
  const { users, items } = INTERACTIONS;
  const towers = (): [Tower, Tower] => [
    Tower.create({ vocabulary: users.vocabulary, dimensions: D, seed: 5, normalize: true }),
    Tower.create({ vocabulary: items.vocabulary, dimensions: D, seed: 6, normalize: true }),
  ];
  const tablesOf = (all: readonly Tower[]): number[][] =>
    all.flatMap((tower) => tower.parameters().map(({ data }) => [...data]));
  const [query, candidate] = towers();
  const numbers: number[] = [];
  for (const layers of smoothTowersByLayers(query, candidate, INTERACTIONS, 4)) {
    numbers.push(layers);
    const alone = towers();
    smoothTowers(...alone, INTERACTIONS, { layers });
    assert.deepEqual(tablesOf([query, candidate]), tablesOf(alone), `${layers} layers`);
  }
  assert.deepEqual(numbers, [1, 2, 3, 4]);
});
