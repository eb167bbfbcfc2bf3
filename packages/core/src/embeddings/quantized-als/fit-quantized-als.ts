/**
 * Quantized ALS: fits two tables to the rows of the training data by implicit ALS, column by column, and quantizes each
 * column as soon as it is solved. It gives CQR tables learned pointers and centroids without a full table.
 *
 *   minimise   Σ_rows (⟨u, v⟩ − label)² + α Σ_all pairs ⟨u, v⟩² + λ Σ_ids (rows of the id + α n) |x|²
 *
 * In a sweep each column is solved for both sides in turn (solve-column.ts), its candidates are quantized by k-means,
 * the queries are solved again for the quantized candidates, and are quantized. A column is thereby fitted to what the
 * other columns, as quantized, leave unexplained, also to their quantization errors. Source: iALS++ (Rendle, Krichene,
 * Zhang, Koren 2021), whose blocks are the columns here; the quantization between the blocks is our own
 * (docs/decisions/quantized-als.md). Memory above the tables: 20 bytes for each row (32 at first), the pointers, and for each side up
 * to four copies of one column, each 1/c of a full table. Letters: c columns, n ids of the other side.
 */
import { checkArgument } from '../../checks/arguments.ts';
import { checkInteger, checkNumber, checkPositive } from '../../checks/numbers.ts';
import { BOOLEAN, FUNCTION, NUMBER, objectWith, optionsCheck, SIGNAL } from '../../checks/options.ts';
import { DivergedError, OptionError, StateError } from '../../errors/errors.ts';
import { Generator } from '../../random/generator.ts';
import { CoOccurrenceMatrix, type CoOccurrences } from '../co-occurrence-matrix.ts';
import type { EmbeddingTable } from '../contract.ts';
import { Cqr } from '../cqr.ts';
import { FullTable } from '../full.ts';
import { learnedWords } from '../learned-ids.ts';
import { exclusively } from '../table-lock.ts';
import { WorkSteps } from '../work-steps.ts';
import { type Factors, FullFactors, QuantizedFactors } from './factors.ts';
import { ObservedPairs } from './observed-pairs.ts';
import { moveErrors, type OpenColumn, type QuantizedAlsObjective, solveColumn, solveSteps } from './solve-column.ts';

/** Gowalla's validation part was best after three or four sweeps (docs/decisions/quantized-als.md). */
const SWEEPS = 4;
/** Iterations of k-means in the last sweep. */
const ITERATIONS = 4;
/** Iterations of k-means in earlier sweeps, whose centroids are replaced in the next one. */
const EARLY_ITERATIONS = 1;
/** Times that both sides of a column are solved before it is quantized. */
const ROUNDS = 1;
/** Standard deviation of the start, times √d: as in `fitAls`. */
const START = 0.1;

/** Options of `fitQuantizedAls`. */
export interface QuantizedAlsOptions extends Partial<QuantizedAlsObjective> {
  /** Passes over all columns; default 4. */
  sweeps?: number;
  /** Iterations of k-means in the last sweep; default 4. */
  iterations?: number;
  /**
   * True keeps a helper table, so that later clusterings can follow, for which half of the rows are then unused. Default
   * false: all rows are centroids, and the table is not clustered again.
   */
  helper?: boolean;
  /** Called with the share done, in [0, 1]. */
  onProgress?: ((share: number) => void) | undefined;
  /** Interrupts the work; the tables stay as they were. */
  signal?: AbortSignal | undefined;
}

const checkOptions = optionsCheck<QuantizedAlsOptions>('fitQuantizedAls', {
  unobservedWeight: NUMBER,
  regularization: NUMBER,
  sweeps: NUMBER,
  iterations: NUMBER,
  helper: BOOLEAN,
  onProgress: FUNCTION,
  signal: SIGNAL,
});
const TABLE = objectWith('a table of the method cqr or full', 'vocabularySize', 'trained');

/** A table with the ids that are fitted. */
interface Side {
  table: Cqr | FullTable;
  /** [fitted ids] */
  ids: Int32Array;
  factors: QuantizedFactors | FullFactors;
  /** [V] rows of each id, counted up to `minCount`. */
  seen: Uint8Array;
}

/**
 * Fit new tables, of which at least one is CQR and the other may be full, to rows of training data: ⟨query, candidate⟩
 * comes near the label where a row has the pair, and near 0 elsewhere. It counts as the first clustering. The tables
 * serve as they are, or are trained further; the products are of the order of 1, so that a temperature near 0.1 suits a
 * softmax. With `minCount`, ids with fewer rows than that keep hashed pointers, and their rows are left out.
 *
 * @throws {OptionError} when a table has another method, the tables differ in dimensions or columns, an id is beyond
 * its vocabulary, or an option is out of range
 * @throws {ShapeError} when there is no row or columns differ in length
 * @throws {StateError} when a table was clustered before, no id has `minCount` rows, or a table is in use
 * @throws {DivergedError} when a factor is not finite
 * @throws {AbortedError} when the signal is raised
 */
export async function fitQuantizedAls(
  queryTable: EmbeddingTable,
  candidateTable: EmbeddingTable,
  rows: CoOccurrences,
  options: QuantizedAlsOptions = {},
): Promise<void> {
  checkArgument('queryTable', queryTable, TABLE);
  checkArgument('candidateTable', candidateTable, TABLE);
  checkArgument('rows', rows, objectWith('rows with queries and candidates', 'queries', 'candidates'));
  const { unobservedWeight = 0.1, regularization = 0.003, ...rest } = checkOptions(options);
  const { sweeps = SWEEPS, iterations = ITERATIONS, helper = false, onProgress, signal } = rest;
  checkNumber('unobservedWeight', unobservedWeight, 0);
  checkPositive('regularization', regularization);
  checkInteger('sweeps', sweeps, 1);
  checkInteger('iterations', iterations, 1);
  const tables = checkTables(queryTable, candidateTable);
  await exclusively('fitQuantizedAls', tables, async () => {
    const { counts } = new CoOccurrenceMatrix(rows, [queryTable.vocabularySize, candidateTable.vocabularySize]);
    const sides = tables.map((table, side) => sideOf(table, tables, counts[side]!, helper)) as [Side, Side];
    const objective = { unobservedWeight, regularization };
    await fit(sides, rows, { objective, sweeps, iterations, onProgress, signal });
    for (const side of sides) adopt(side, helper);
  });
}

interface FitOptions extends Required<Pick<QuantizedAlsOptions, 'sweeps' | 'iterations'>> {
  objective: QuantizedAlsObjective;
  onProgress: QuantizedAlsOptions['onProgress'];
  signal: AbortSignal | undefined;
}

async function fit(
  sides: readonly [Side, Side],
  rows: CoOccurrences,
  { objective, sweeps, iterations, onProgress, signal }: FitOptions,
): Promise<void> {
  const factors = [sides[0].factors, sides[1].factors] as const;
  const pairs = new ObservedPairs(rows, [numbersOf(sides[0]), numbersOf(sides[1])]);
  const { columns, width, count } = factors[1];
  const solves = ROUNDS * (solveSteps(factors[0].count) + solveSteps(count)) + solveSteps(factors[0].count);
  const clustered = sides.filter(({ factors: each }) => each instanceof QuantizedFactors).length;
  const stepsOf = (each: number): number => columns * (solves + clustered * each);
  const steps = new WorkSteps('fitQuantizedAls', (sweeps - 1) * stepsOf(EARLY_ITERATIONS) + stepsOf(iterations), {
    onProgress,
    signal,
  });
  const random = new Generator(sides[0].table instanceof Cqr ? sides[0].table.seed : seedOf(sides[1].table));
  let done = 0;
  for (let sweep = 0; sweep < sweeps; sweep++) {
    const each = sweep === sweeps - 1 ? iterations : Math.min(iterations, EARLY_ITERATIONS);
    for (let column = 0; column < columns; column++) {
      const seeds = random.fork('column', sweep * columns + column);
      const quantizeColumn = (side: 0 | 1) => ({
        iterations: each,
        isWarm: sweep > 0,
        random: seeds.fork('k-means', side),
        onStep: (work: number) => steps.step(work),
      });
      const open: OpenColumn = { column, values: [factors[0].column(column), factors[1].column(column)] };
      const solve = async (side: 0 | 1): Promise<void> => {
        for (const work of solveColumn(side, open, factors, pairs, objective)) await steps.step(work);
      };
      // The queries begin at 0, and so do all products.
      if (sweep === 0) start(open.values[1], START / Math.sqrt(columns * width), seeds.fork('start'));
      for (let round = 0; round < ROUNDS; round++) {
        await solve(0);
        await solve(1);
      }
      await quantize(1, open, factors, pairs, quantizeColumn(1));
      await solve(0);
      await quantize(0, open, factors, pairs, quantizeColumn(0));
      done += solves + clustered * each;
      steps.reach(done);
    }
  }
}

/** Put the column of a side into its factors; the open column becomes what they hold. */
async function quantize(
  side: 0 | 1,
  { column, values }: OpenColumn,
  factors: readonly [Factors, Factors],
  pairs: ObservedPairs,
  how: Parameters<Factors['setColumn']>[2],
): Promise<void> {
  const bad = values[side].findIndex((value) => !Number.isFinite(value));
  if (bad >= 0) {
    const where = `column ${column} of the ${side === 0 ? 'queries' : 'candidates'}`;
    throw new DivergedError(
      `fitQuantizedAls: expected finite factors, got ${values[side][bad]} in ${where}; a larger regularization may help`,
    );
  }
  await factors[side].setColumn(column, values[side], how);
  const after = factors[side].column(column);
  moveErrors(side, pairs, {
    before: values[side],
    after,
    others: values[side === 0 ? 1 : 0],
    width: factors[side].width,
  });
  values[side].set(after);
}

function start(values: Float32Array, deviation: number, random: Generator): void {
  for (let i = 0; i < values.length; i++) values[i] = deviation * random.normal();
}

/** The tables, if they can be fitted together. */
function checkTables(...given: [EmbeddingTable, EmbeddingTable]): (Cqr | FullTable)[] {
  const tables = given.map((table) => {
    if (table instanceof Cqr || table instanceof FullTable) return table;
    throw new OptionError(`tables: expected the methods cqr and full, got ${table.method}`);
  });
  const cqr = tables.filter((table) => table instanceof Cqr);
  if (cqr.length === 0) throw new OptionError('tables: expected at least one of method cqr, got none');
  const [a, b] = tables as [Cqr | FullTable, Cqr | FullTable];
  if (a === b) throw new OptionError('tables: expected two, got one for queries and candidates');
  if (a.dimensions !== b.dimensions) {
    throw new OptionError(`tables: expected equal dimensions, got ${a.dimensions} and ${b.dimensions}`);
  }
  if (cqr.length === 2 && a.columns !== b.columns) {
    throw new OptionError(`tables: expected equal columns, got ${a.columns} and ${b.columns}`);
  }
  const clustered = cqr.find(({ clusterings }) => clusterings > 0);
  if (clustered) throw new StateError(`tables: expected new ones, got one clustered ${clustered.clusterings} times`);
  return tables;
}

function sideOf(table: Cqr | FullTable, all: readonly (Cqr | FullTable)[], counts: Uint32Array, helper: boolean): Side {
  const columns = all.find((each) => each instanceof Cqr)!.columns;
  const width = table.dimensions / columns;
  const minCount = table instanceof Cqr ? table.minCount : 1;
  const seen = Uint8Array.from(counts, (count) => Math.min(count, minCount));
  const every = Int32Array.from({ length: table.vocabularySize }, (_, id) => id);
  const ids = minCount === 1 ? every : every.filter((id) => seen[id] === minCount);
  if (ids.length === 0) {
    throw new StateError(`rows: expected ids with at least ${minCount} of them (minCount), got none`);
  }
  if (table instanceof FullTable) return { table, ids, seen, factors: new FullFactors(ids.length, columns, width) };
  const clusters = table.clustersFor(helper, ids.length);
  const factors = new QuantizedFactors(ids.length, columns, width, clusters, table.codebook.runtime);
  return { table, ids, seen, factors };
}

/** For each id of the vocabulary its number among the fitted ids, or −1. */
function numbersOf({ table, ids }: Side): Int32Array {
  const numbers = new Int32Array(table.vocabularySize).fill(-1);
  ids.forEach((id, number) => {
    numbers[id] = number;
  });
  return numbers;
}

function seedOf(table: Cqr | FullTable): number {
  return table instanceof Cqr ? table.seed : 0;
}

/** Give a table its factors. */
function adopt({ table, ids, factors, seen }: Side, helper: boolean): void {
  const { codebook } = table;
  if (factors instanceof FullFactors) {
    codebook.data.set(factors.values);
    return;
  }
  const { minCount, columns, vocabularySize } = table as Cqr;
  const learned = new Uint32Array(learnedWords(vocabularySize));
  for (const id of ids) learned[id >>> 5]! |= 1 << (id & 31);
  const counts = minCount > 1 ? { counts: { learned, seen } } : {};
  const { pointers, centroids } = factors;
  (table as Cqr).restorePointers({ clusterings: 1, sums: helper ? 2 : 1, pointers, ...counts });
  const blockRows = codebook.rows / columns;
  codebook.data.fill(0);
  centroids.forEach((data, column) => {
    codebook.data.set(data, column * blockRows * codebook.dimensions);
  });
}
