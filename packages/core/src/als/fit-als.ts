/**
 * Implicit ALS: factors of users and items whose product is near 1 where a user chose an item and near 0 elsewhere.
 *
 *   Σ_observed w (1 − uᵀv)² + α Σ_all (uᵀv)² + λ (Σ_u (|I_u| + α |I|)^ν |u|² + Σ_i (|U_i| + α |U|)^ν |v|²)
 *
 * Users and items are solved exactly in turn. Source: Hu, Koren, Volinsky, "Collaborative filtering for implicit feedback
 * datasets", ICDM 2008; the weighting and the scaled regularization as Rendle, Krichene, Zhang, Koren, "Revisiting the
 * performance of iALS on item recommendation benchmarks", RecSys 2022. Work of an iteration with N interactions, d
 * dimensions: N d² + (users + items) d³/6 multiplications and additions. The same bits for any number of threads.
 */
import { throwIfAborted } from '../checks/abort.ts';
import { checkInteger, checkNumber, checkPositive } from '../checks/numbers.ts';
import { FUNCTION, instanceOf, NUMBER, optionsCheck, SIGNAL } from '../checks/options.ts';
import type { Interactions } from '../data/interactions.ts';
import { itemsByUser, transposeLists } from '../data/items-by-user.ts';
import { StringLookup } from '../embeddings/string-lookup.ts';
import { DivergedError, ShapeError } from '../errors/errors.ts';
import { defaultRuntime, RUNTIME, type Runtime } from '../parallel/runtime.ts';
import { Generator } from '../random/generator.ts';
import { Matrix } from '../vectors/matrix.ts';
import { FoldIn } from './fold-in.ts';
import { type AlsObjective, AlsSide, factorWidth, gramOf } from './solver.ts';
import { checkWidth, EarlierRows } from './warm-start.ts';

/** Rows solved between two turns of the event loop: tens of milliseconds at d = 128. */
const ROWS_PER_TURN = 512;

/** Options of `fitAls`. */
export interface AlsOptions extends Partial<AlsObjective> {
  /** d; default 64. */
  dimensions?: number;
  /** Times that both sides are solved; default 15. */
  iterations?: number;
  /** Factors begin as normal numbers of the deviation 0.1 / √d, as in Rendle et al.; default 42. */
  seed?: number;
  runtime?: Runtime;
  /**
   * An earlier model: items that it knows begin with its factors, and users and items without an interaction keep them, as far
   * as the vocabularies have them.
   */
  from?: FoldIn | undefined;
  /** Called after every iteration, from 1. */
  onIteration?: (iteration: number, iterations: number) => void;
  /** Stops between two blocks of rows with an `AbortedError`. */
  signal?: AbortSignal | undefined;
}

const checkOptions = optionsCheck<AlsOptions>('fitAls', {
  dimensions: NUMBER,
  unobservedWeight: NUMBER,
  regularization: NUMBER,
  exponent: NUMBER,
  iterations: NUMBER,
  seed: NUMBER,
  runtime: RUNTIME,
  from: instanceOf('a FoldIn', () => FoldIn),
  onIteration: FUNCTION,
  signal: SIGNAL,
});

/** Deviation of the first factors, times √d. */
const INITIAL_DEVIATION = 0.1;

/** Factors as an index takes them. */
export interface AlsModel {
  /** Asked with users or histories. */
  readonly queryModel: FoldIn;
  /** [candidates, d] of the items that were chosen at all. */
  readonly candidates: Matrix;
  /** [candidates] */
  readonly identifiers: readonly string[];
}

/**
 * Fit implicit ALS.
 *
 * @throws {ShapeError} when there is no interaction
 * @throws {OptionError} when an option is out of range
 * @throws {DivergedError} when a factor is not finite: regularization or unobserved weight are too small
 * @throws {AbortedError} when the signal is raised
 */
export async function fitAls(interactions: Interactions, options: AlsOptions = {}): Promise<AlsModel> {
  checkOptions(options);
  const { dimensions = 64, unobservedWeight = 0.1, regularization = 0.003, exponent = 1, iterations = 15 } = options;
  const { seed = 42, runtime = defaultRuntime(), from, onIteration, signal } = options;
  checkInteger('dimensions', dimensions, 1);
  checkNumber('unobservedWeight', unobservedWeight, 0);
  checkPositive('regularization', regularization);
  checkNumber('exponent', exponent, 0, 2);
  checkInteger('iterations', iterations, 1);
  if (interactions.length === 0) throw new ShapeError('interactions: expected at least one, got none');
  if (from) checkWidth(from, dimensions);
  const objective = { unobservedWeight, regularization, exponent };
  const byUser = itemsByUser(interactions);
  const width = factorWidth(dimensions);
  const users = new Matrix(byUser.starts.length - 1, width, runtime);
  const items = initialItems(byUser.codeCount, dimensions, seed, runtime);
  const earlierItems = from && EarlierRows.ofItems(interactions.items.vocabulary, from);
  earlierItems?.copyTo(items, 'all');
  const byItem = transposeLists(byUser);
  const userSide = new AlsSide(byUser, items, objective);
  const itemSide = new AlsSide(byItem, users, objective);
  try {
    for (let iteration = 1; iteration <= iterations; iteration++) {
      await solveSide(userSide, items, users, unobservedWeight, signal);
      await solveSide(itemSide, users, items, unobservedWeight, signal);
      onIteration?.(iteration, iterations);
    }
    earlierItems?.copyTo(items, byItem);
    // Once more, so that a user's row is what the history folds in to.
    await solveSide(userSide, items, users, unobservedWeight, signal);
  } finally {
    userSide.free();
    itemSide.free();
  }
  if (from) EarlierRows.ofUsers(interactions.users.vocabulary, from).copyTo(users, byUser);
  return modelOf(interactions, users, items, dimensions, objective);
}

function initialItems(count: number, dimensions: number, seed: number, runtime: Runtime): Matrix {
  const generator = new Generator(seed).fork('als');
  const items = new Matrix(count, factorWidth(dimensions), runtime);
  const { data } = items;
  const deviation = INITIAL_DEVIATION / Math.sqrt(dimensions);
  for (let item = 0; item < count; item++) {
    for (let t = 0; t < dimensions; t++) data[item * items.dimensions + t] = deviation * generator.normal();
  }
  return items;
}

async function solveSide(
  side: AlsSide,
  factors: Matrix,
  out: Matrix,
  unobservedWeight: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  const gram = gramOf(factors, unobservedWeight);
  try {
    for (let begin = 0; begin < side.rows; begin += ROWS_PER_TURN) {
      throwIfAborted('fitAls', signal);
      side.solve(factors, gram, out, begin, Math.min(begin + ROWS_PER_TURN, side.rows));
      await new Promise<void>((resolve) => setTimeout(resolve, 0));
    }
  } finally {
    gram.free();
  }
  const at = out.runtime.kernels.findNotFinite(out.offset, out.rows * out.dimensions);
  if (at < 0) return;
  throw new DivergedError(
    `fitAls: expected finite factors, got ${out.data[at]} in row ${Math.floor(at / out.dimensions)}; ` +
      'a larger regularization or unobservedWeight keeps them so',
  );
}

function modelOf(
  { users, items }: Interactions,
  userFactors: Matrix,
  itemFactors: Matrix,
  dimensions: number,
  objective: AlsObjective,
): AlsModel {
  const width = userFactors.dimensions;
  const { runtime } = userFactors;
  const known = (factors: Matrix): number[] =>
    Array.from({ length: factors.rows }, (_, row) => row).filter((row) =>
      factors.row(row).some((value) => value !== 0),
    );
  const trained = known(userFactors);
  const mean = new Float64Array(width);
  for (const row of trained) userFactors.row(row).forEach((value, t) => (mean[t] = mean[t]! + value / trained.length));
  // Unknown users have the first row; a user without an interaction is asked like them.
  const allUsers = new Matrix(userFactors.rows + 1, width, runtime);
  for (let row = 0; row < allUsers.rows; row++) allUsers.row(row).set(mean);
  for (const user of trained) allUsers.row(user + 1).set(userFactors.row(user));
  const chosen = known(itemFactors);
  const candidates = new Matrix(chosen.length, dimensions, runtime);
  chosen.forEach((item, row) => candidates.row(row).set(itemFactors.row(item).subarray(0, dimensions)));
  const queryModel = new FoldIn({
    users: new StringLookup({ vocabulary: users.vocabulary }),
    items: new StringLookup({ vocabulary: items.vocabulary }),
    userFactors: allUsers,
    itemFactors,
    dimensions,
    objective,
  });
  userFactors.free();
  return { queryModel, candidates, identifiers: chosen.map((item) => items.vocabulary[item]!) };
}
