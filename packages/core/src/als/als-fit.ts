/**
 * A fit of implicit ALS that runs iterations one by one and gives the query model of the present factors, so that a
 * search can evaluate it between iterations. Objective and source: fit-als.ts.
 */
import { throwIfAborted } from '../checks/abort.ts';
import type { Interactions } from '../data/interactions.ts';
import { type CodeLists, itemsByUser, transposeLists } from '../data/items-by-user.ts';
import { StringLookup } from '../embeddings/string-lookup.ts';
import { DivergedError } from '../errors/errors.ts';
import type { Runtime } from '../parallel/runtime.ts';
import { Generator } from '../random/generator.ts';
import { Matrix } from '../vectors/matrix.ts';
import { FoldIn } from './fold-in.ts';
import { weightedByRecency } from './recency.ts';
import { type AlsObjective, AlsSide, eigenBasisOf, factorWidth, gramOf } from './solver.ts';
import { EarlierRows } from './warm-start.ts';

/** Rows solved in one turn of the event loop: tens of milliseconds at d = 128. */
const ROWS_PER_TURN = 512;

/** Standard deviation of the initial factors, times √d. */
const INITIAL_DEVIATION = 0.1;

/** A fitted model: the query model, and the candidates for an index. */
export interface AlsModel {
  /** The query model, which takes users or histories. */
  readonly queryModel: FoldIn;
  /** [candidates, d] factors of the items that have an interaction or that the earlier model knows. */
  readonly candidates: Matrix;
  /** [candidates] */
  readonly identifiers: readonly string[];
}

/** The input of a fit. */
export interface AlsFitOptions {
  readonly dimensions: number;
  readonly objective: AlsObjective;
  readonly seed: number;
  /**
   * An earlier model with the same dimensions. Items that it knows start from its factors; rows without an interaction
   * keep them.
   */
  readonly from?: FoldIn | undefined;
  readonly runtime: Runtime;
}

/** The factors of users and items, and the lists from which they are solved. */
export class AlsFit {
  readonly #interactions: Interactions;
  readonly #options: AlsFitOptions;
  readonly #byUser: CodeLists;
  readonly #byItem: CodeLists;
  readonly #earlierItems: EarlierRows | undefined;
  readonly #users: Matrix;
  readonly #items: Matrix;
  readonly #userSide: AlsSide;
  readonly #itemSide: AlsSide;

  constructor(interactions: Interactions, options: AlsFitOptions) {
    const { dimensions, objective, runtime, from } = options;
    this.#earlierItems = from && EarlierRows.ofItems(interactions.items.vocabulary, from);
    this.#interactions = interactions;
    this.#options = options;
    this.#byUser = itemsByUser(interactions);
    this.#users = new Matrix(this.#byUser.starts.length - 1, factorWidth(dimensions), runtime);
    this.#byItem = transposeLists(this.#byUser);
    this.#items = initialItems(this.#byItem.starts.length - 1, options);
    this.#earlierItems?.copyTo(this.#items, 'all');
    this.#userSide = new AlsSide(this.#byUser, this.#items, objective);
    this.#itemSide = new AlsSide(this.#byItem, this.#users, objective);
  }

  /**
   * Solve users, then items.
   *
   * @throws {DivergedError} when a factor is not finite
   * @throws {AbortedError} when the signal is raised
   */
  async iterate(signal?: AbortSignal): Promise<void> {
    const { unobservedWeight } = this.#options.objective;
    await solveSide(this.#userSide, this.#items, this.#users, { unobservedWeight, inBasis: true, signal });
    await solveSide(this.#itemSide, this.#users, this.#items, { unobservedWeight, inBasis: true, signal });
  }

  /** The query model of histories with another half-life, valid until the next iteration. It does not know any user. */
  foldIn(recencyHalfLife: number): FoldIn {
    const { dimensions, objective, runtime } = this.#options;
    return new FoldIn({
      users: new StringLookup({ vocabulary: [] }),
      items: new StringLookup({ vocabulary: this.#interactions.items.vocabulary }),
      userFactors: new Matrix(1, factorWidth(dimensions), runtime),
      itemFactors: this.#items,
      dimensions,
      objective: { ...objective, recencyHalfLife },
    });
  }

  /** Items with factors: those with an interaction, and those that the earlier model knows. */
  knownItems(): Int32Array {
    return knownRows(this.#items);
  }

  /** [items.length, d] the present factors of items. */
  factorsOf(items: Int32Array): Matrix {
    const { dimensions, runtime } = this.#options;
    const candidates = new Matrix(items.length, dimensions, runtime);
    items.forEach((item, row) => candidates.row(row).set(this.#items.row(item).subarray(0, dimensions)));
    return candidates;
  }

  /**
   * Solve the users once more, so that the row of a user equals the fold-in of the history, and return the model. The
   * fit ends with this call.
   */
  async model(signal?: AbortSignal): Promise<AlsModel> {
    const { dimensions, objective, runtime, from } = this.#options;
    const { users, items } = this.#interactions;
    this.#earlierItems?.copyTo(this.#items, this.#byItem);
    const { unobservedWeight } = objective;
    const side = new AlsSide(weightedByRecency(this.#byUser, objective.recencyHalfLife), this.#items, objective);
    try {
      // This is the way in which a history is folded in, so the bits are the same.
      await solveSide(side, this.#items, this.#users, { unobservedWeight, inBasis: false, signal });
    } finally {
      side.free();
    }
    if (from) EarlierRows.ofUsers(users.vocabulary, from).copyTo(this.#users, this.#byUser);
    const known = this.knownItems();
    const queryModel = new FoldIn({
      users: new StringLookup({ vocabulary: users.vocabulary }),
      items: new StringLookup({ vocabulary: items.vocabulary }),
      userFactors: withMean(this.#users, runtime),
      itemFactors: this.#items,
      dimensions,
      objective,
    });
    const identifiers = Array.from(known, (item) => items.vocabulary[item]!);
    return { queryModel, candidates: this.factorsOf(known), identifiers };
  }

  /** Free the memory that the model does not use. */
  free(): void {
    this.#userSide.free();
    this.#itemSide.free();
    this.#users.free();
  }
}

function initialItems(count: number, { dimensions, seed, runtime }: AlsFitOptions): Matrix {
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
  {
    unobservedWeight,
    inBasis,
    signal,
  }: { unobservedWeight: number; inBasis: boolean; signal: AbortSignal | undefined },
): Promise<void> {
  const gram = gramOf(factors, unobservedWeight);
  const eigen = inBasis && side.isShort ? eigenBasisOf(factors, gram) : undefined;
  try {
    for (let begin = 0; begin < side.rows; begin += ROWS_PER_TURN) {
      throwIfAborted('fitAls', signal);
      side.solve(factors, gram, out, begin, Math.min(begin + ROWS_PER_TURN, side.rows), eigen);
      await new Promise<void>((resolve) => setTimeout(resolve, 0));
    }
  } finally {
    gram.free();
    eigen?.free();
  }
  const at = out.runtime.kernels.findNotFinite(out.offset, out.rows * out.dimensions);
  if (at < 0) return;
  throw new DivergedError(
    `fitAls: expected finite factors, got ${out.data[at]} in row ${Math.floor(at / out.dimensions)}; ` +
      'a larger regularization or unobservedWeight keeps them so',
  );
}

/**
 * User factors with row 0 for unknown users: the mean of the rows that are not 0. A user without an interaction also
 * gets the mean.
 */
function withMean(users: Matrix, runtime: Runtime): Matrix {
  const width = users.dimensions;
  const trained = knownRows(users);
  const mean = new Float64Array(width);
  for (const row of trained) users.row(row).forEach((value, t) => (mean[t] = mean[t]! + value / trained.length));
  const all = new Matrix(users.rows + 1, width, runtime);
  for (let row = 0; row < all.rows; row++) all.row(row).set(mean);
  for (const user of trained) all.row(user + 1).set(users.row(user));
  return all;
}

/** Rows that are not 0. */
function knownRows(factors: Matrix): Int32Array {
  return Int32Array.from({ length: factors.rows }, (_, row) => row).filter((row) =>
    factors.row(row).some((value) => value !== 0),
  );
}
