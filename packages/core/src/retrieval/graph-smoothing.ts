/**
 * Smooths trained embeddings over the graph of interactions: the propagation of LightGCN (He et al. 2020,
 * arXiv 2002.02126, equations 3, 4 and 8), applied after training.
 *
 *   u⁽ˡ⁺¹⁾ = Σ_i w_ui / √(D_u D_i) · i⁽ˡ⁾      i⁽ˡ⁺¹⁾ = Σ_u w_ui / √(D_u D_i) · u⁽ˡ⁾      result = Σ_l x⁽ˡ⁾ / (L + 1)
 *
 * Letters: u, i are the rows of a user and an item, w the weight of an interaction (1 where the lists have none), D the
 * sum of the weights of a user or an item, l from 0 to L = `layers`. Users and items that have few interactions gain
 * most. Rows of users and items without interactions stay as they are.
 */

import { checkArgument } from '../checks/arguments.ts';
import { checkInteger } from '../checks/numbers.ts';
import { NUMBER, objectWith, optionsCheck } from '../checks/options.ts';
import { checkInteractions, type Interactions } from '../data/interactions.ts';
import { type CodeLists, itemsByUser, LISTS, transposeLists } from '../data/items-by-user.ts';
import { FullTable } from '../embeddings/full.ts';
import { OptionError, ShapeError } from '../errors/errors.ts';
import { RowAdder, type RowSums } from '../towers/row-sums.ts';
import { TOWER, type Tower } from '../towers/tower.ts';
import { MATRIX, Matrix } from '../vectors/matrix.ts';

/** More layers make all rows alike; the paper tries 1 to 4. */
const LAYERS_MAX = 16;

/** Options of `smoothOverGraph` and `smoothTowers`. */
export interface GraphSmoothingOptions {
  /** L, the steps over the graph; default 2. With 0 the rows stay as they are. */
  layers?: number;
}

const checkOptions = optionsCheck<GraphSmoothingOptions>('smoothOverGraph', { layers: NUMBER });

const EMBEDDINGS = objectWith('matrices of users and items', 'users', 'items');

/** The embeddings of users [users, d] and of items [items, d]. */
export interface GraphEmbeddings {
  users: Matrix;
  items: Matrix;
}

/**
 * The smoothed embeddings, in new matrices.
 *
 * @param itemsOfUsers the items of each user, with weights or without (`itemsByUser`)
 * @throws {ShapeError} when the matrices have other numbers of rows than the lists, or differ in width
 * @throws {OptionError} when an option is unknown or out of range
 */
export function smoothOverGraph(
  embeddings: GraphEmbeddings,
  itemsOfUsers: CodeLists,
  options: GraphSmoothingOptions = {},
): GraphEmbeddings {
  const { users, items } = checkArgument('embeddings', embeddings, EMBEDDINGS);
  checkArgument('itemsOfUsers', itemsOfUsers, LISTS);
  const { layers = 2 } = checkOptions(options);
  checkInteger('layers', layers, 0, LAYERS_MAX);
  let smoothed = { users: copyOf(users), items: copyOf(items) };
  for (const next of smoothedByLayers({ users, items }, itemsOfUsers, layers)) {
    free(smoothed);
    smoothed = next;
  }
  return smoothed;
}

/** The smoothed embeddings with 1, 2, …, `layersMax` layers, in new matrices. Each layer is one more propagation. */
function* smoothedByLayers(
  { users, items }: GraphEmbeddings,
  itemsOfUsers: CodeLists,
  layersMax: number,
): IterableIterator<GraphEmbeddings> {
  const usersOfItems = transposeLists(itemsOfUsers);
  checkRows('users', users, itemsOfUsers, items.dimensions);
  checkRows('items', items, usersOfItems, users.dimensions);
  const weights = edgeWeights(itemsOfUsers, usersOfItems);
  const adder = new RowAdder(users.runtime);
  let last = { users: copyOf(users), items: copyOf(items) };
  const sum = { users: copyOf(users), items: copyOf(items) };
  for (let layers = 1; layers <= layersMax; layers++) {
    const next = { users: emptyLike(users), items: emptyLike(items) };
    adder.sum(sumsOf(itemsOfUsers, weights.ofUsers, last.items), users.dimensions, next.users);
    adder.sum(sumsOf(usersOfItems, weights.ofItems, last.users), items.dimensions, next.items);
    addTo(sum.users, next.users);
    addTo(sum.items, next.items);
    free(last);
    last = next;
    const smoothed = { users: copyOf(sum.users), items: copyOf(sum.items) };
    average(smoothed.users, users, itemsOfUsers, layers);
    average(smoothed.items, items, usersOfItems, layers);
    yield smoothed;
  }
  free(last);
  free(sum);
}

/**
 * Smooth the tables of two towers of identifiers, a user tower and an item tower, in place. For towers with unit vectors
 * the unit vectors are smoothed. Words without interactions and the row of unknown words stay as they are.
 *
 * @throws {OptionError} when a tower has several features, layers or a compressed table, or does not know a word of the
 * interactions
 */
export function smoothTowers(
  queryTower: Tower,
  candidateTower: Tower,
  interactions: Interactions,
  options: GraphSmoothingOptions = {},
): void {
  checkInteractions(interactions);
  const { users, items, embeddings } = graphTables(queryTower, candidateTower, interactions);
  const smoothed = smoothOverGraph(embeddings, itemsByUser(interactions), options);
  users.write(smoothed.users);
  items.write(smoothed.items);
  free(smoothed);
}

/**
 * Smooth the tables of two towers as `smoothTowers` does, with 1, 2, …, `layersMax` layers: at each step of the iteration
 * they have the rows of one more layer.
 */
export function* smoothTowersByLayers(
  queryTower: Tower,
  candidateTower: Tower,
  interactions: Interactions,
  layersMax: number,
): IterableIterator<number> {
  const { users, items, embeddings } = graphTables(queryTower, candidateTower, interactions);
  const trained = { users: copyOf(embeddings.users), items: copyOf(embeddings.items) };
  let layers = 0;
  for (const smoothed of smoothedByLayers(trained, itemsByUser(interactions), layersMax)) {
    users.write(smoothed.users);
    items.write(smoothed.items);
    free(smoothed);
    yield ++layers;
  }
  free(trained);
}

/** The embeddings of the words of interactions, and the rows of the tables that they belong to. */
function graphTables(
  queryTower: Tower,
  candidateTower: Tower,
  { users: { vocabulary: userWords }, items: { vocabulary: itemWords } }: Interactions,
): { users: TableRows; items: TableRows; embeddings: GraphEmbeddings } {
  const users = rowsOf('queryTower', queryTower, userWords);
  const items = rowsOf('candidateTower', candidateTower, itemWords);
  return { users, items, embeddings: { users: queryTower.embed(userWords), items: candidateTower.embed(itemWords) } };
}

/** Rows of a table that can be set. */
interface TableRows {
  write(rows: Matrix): void;
}

/** The rows of a tower's table that belong to words. */
function rowsOf(name: string, tower: Tower, words: readonly string[]): TableRows {
  const [input, ...others] = checkArgument(name, tower, TOWER).inputs;
  const { lookup, table } = input!;
  if (others.length > 0 || tower.layers.length > 0 || !lookup || !(table instanceof FullTable)) {
    throw new OptionError(
      `${name}: expected a tower of one feature with a full table and no layers, got another tower`,
    );
  }
  const ids = words.map((word) => {
    if (!lookup.has(word)) throw new OptionError(`interactions: expected words that the ${name} knows, got ${word}`);
    return lookup.idOf(word);
  });
  const { codebook } = table;
  return {
    write: (rows): void =>
      ids.forEach((id, row) => codebook.row(id).set(rows.row(row).subarray(0, codebook.dimensions))),
  };
}

function checkRows(name: string, matrix: Matrix, { starts }: CodeLists, width: number): void {
  const { rows, dimensions } = checkArgument(name, matrix, MATRIX);
  if (rows === starts.length - 1 && dimensions === width) return;
  throw new ShapeError(
    `${name}: expected ${starts.length - 1} × ${width} as the interactions, got ${rows} × ${dimensions}`,
  );
}

/** w / √(D_u D_i) of each pair, in the order of both lists. */
function edgeWeights(ofUsers: CodeLists, ofItems: CodeLists): { ofUsers: Float32Array; ofItems: Float32Array } {
  const [users, items] = [degreesOf(ofUsers), degreesOf(ofItems)];
  return { ofUsers: normalized(ofUsers, users, items), ofItems: normalized(ofItems, items, users) };
}

function degreesOf({ starts, weights }: CodeLists): Float64Array {
  return Float64Array.from({ length: starts.length - 1 }, (_, row) => {
    let sum = 0;
    for (let i = starts[row]!; i < starts[row + 1]!; i++) sum += weights ? weights[i]! : 1;
    return sum;
  });
}

function normalized({ starts, codes, weights }: CodeLists, own: Float64Array, others: Float64Array): Float32Array {
  const out = new Float32Array(codes.length);
  for (let row = 0; row + 1 < starts.length; row++) {
    for (let i = starts[row]!; i < starts[row + 1]!; i++) {
      out[i] = (weights ? weights[i]! : 1) / Math.sqrt(own[row]! * others[codes[i]!]!);
    }
  }
  return out;
}

function sumsOf({ starts, codes }: CodeLists, weights: Float32Array, rows: Matrix): RowSums {
  const first = rows.offset / 4;
  return { offsets: starts, places: codes.map((code) => first + code * rows.dimensions), weights };
}

function emptyLike({ rows, dimensions, runtime }: Matrix): Matrix {
  return new Matrix(rows, dimensions, runtime);
}

function copyOf(matrix: Matrix): Matrix {
  const copy = emptyLike(matrix);
  copy.data.set(matrix.data);
  return copy;
}

function addTo({ data: sum }: Matrix, { data: terms }: Matrix): void {
  for (let t = 0; t < sum.length; t++) sum[t] = sum[t]! + terms[t]!;
}

/** Divide the sums by the number of terms; rows without interactions get their values of before. */
function average(sums: Matrix, before: Matrix, { starts }: CodeLists, layers: number): void {
  for (let row = 0; row < sums.rows; row++) {
    const sum = sums.row(row);
    if (starts[row] === starts[row + 1]) sum.set(before.row(row));
    else for (let t = 0; t < sum.length; t++) sum[t] = sum[t]! / (layers + 1);
  }
}

function free({ users, items }: GraphEmbeddings): void {
  users.free();
  items.free();
}
