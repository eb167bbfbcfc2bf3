/**
 * The query model of implicit ALS. The vector of a user of the training data is that user's row of factors. The vector
 * of a history, the earliest item first, is folded in by solving one d × d system with the factors of the items
 * (solver.ts, recency.ts). The history of a user of the training data gives the same bits as that user's row.
 */

import { checkArgument } from '../checks/arguments.ts';
import { shown } from '../checks/numbers.ts';
import { objectWith, optionType } from '../checks/options.ts';
import type { CodeLists } from '../data/items-by-user.ts';
import { StringLookup } from '../embeddings/string-lookup.ts';
import { OptionError } from '../errors/errors.ts';
import { loadPart, type Part } from '../format/part.ts';
import { bytesOf, type Saved } from '../format/saved.ts';
import type { QueryModel } from '../topk/contract.ts';
import { Matrix } from '../vectors/matrix.ts';
import { weightedByRecency } from './recency.ts';
import { type AlsObjective, AlsSide, factorWidth, gramOf } from './solver.ts';

/**
 * A query: the identifier of a user, or the identifiers of the items of a history. Queries are passed in an array, so a single
 * history is passed as an array with one element.
 */
export type UserOrHistory = string | readonly string[];

/** Parts of `FoldIn`. */
export interface FoldInParts {
  readonly users: StringLookup;
  readonly items: StringLookup;
  /** [users.size, width]; row 0 is for unknown users and is the mean of the others. */
  readonly userFactors: Matrix;
  /** [items.wordCount, width] */
  readonly itemFactors: Matrix;
  /** Width of a vector; the remaining columns of the factors are 0. */
  readonly dimensions: number;
  readonly objective: AlsObjective;
}

const LIST_OF_QUERIES = optionType('a list of users or histories', Array.isArray);

/** Turns users and histories into vectors. */
export class FoldIn implements QueryModel<UserOrHistory> {
  readonly dimensions: number;
  /** The inputs in the form of a tower's: one plain feature, whose lookup has the known users. */
  readonly inputs: readonly { readonly name: string; readonly lookup: FoldInParts['users'] }[];
  readonly #parts: FoldInParts;
  readonly #gram: Matrix;
  #vectors: Matrix | undefined;

  constructor(parts: FoldInParts) {
    const names = ['users', 'items', 'itemFactors', 'objective'];
    checkArgument('parts', parts, objectWith(names.join(', '), ...names));
    this.#parts = parts;
    this.inputs = [{ name: '', lookup: parts.users }];
    this.dimensions = parts.dimensions;
    this.#gram = gramOf(parts.itemFactors, parts.objective.unobservedWeight);
  }

  /** The lookups of known users and items, their factors and the objective. */
  get parts(): FoldInParts {
    return this.#parts;
  }

  /**
   * Vectors [features.length, dimensions], valid until the next call. An unknown user, and a history without a known
   * item, get the mean of all users. A repeated item counts once, at its last place; unknown items are ignored.
   *
   * @throws {OptionError} when a query is neither a string nor an array of strings
   */
  embed(features: readonly UserOrHistory[]): Matrix {
    const { users, userFactors, itemFactors } = this.#parts;
    const histories = checkArgument('features', features, LIST_OF_QUERIES).map((feature) =>
      typeof feature === 'string' ? [] : this.#historyOf(feature),
    );
    const solved = this.#solve(histories);
    if (this.#vectors?.rows !== features.length) {
      this.#vectors?.free();
      this.#vectors = new Matrix(features.length, this.dimensions, itemFactors.runtime);
    }
    const vectors = this.#vectors;
    features.forEach((feature, row) => {
      const known = typeof feature === 'string' ? userFactors.row(users.idOf(feature)) : userFactors.row(users.oovId);
      const vector = histories[row]!.length > 0 ? solved.row(row) : known;
      vectors.row(row).set(vector.subarray(0, this.dimensions));
    });
    solved.free();
    return vectors;
  }

  /** Lookups, factors and the objective. */
  save(): Saved {
    const { users, items, userFactors, itemFactors, dimensions, objective } = this.#parts;
    const { recencyHalfLife, ...others } = objective;
    return {
      kind: 'als-fold-in',
      settings: { dimensions, ...others, ...(recencyHalfLife > 0 && { recencyHalfLife }) },
      sections: [
        { name: 'userFactors', bytes: bytesOf(userFactors.data) },
        { name: 'itemFactors', bytes: bytesOf(itemFactors.data) },
      ],
      parts: { users: users.save(), items: items.save() },
    };
  }

  /**
   * Load a saved query model; its vectors have the same bits as before.
   *
   * @throws {FormatError} when settings and sections do not fit together
   */
  static load(part: Part): FoldIn {
    const { settings, runtime } = part;
    const lookup = (name: string): StringLookup => loadPart(part.part(name), { 'string-lookup': StringLookup.load });
    const [users, items] = [lookup('users'), lookup('items')];
    const dimensions = settings.integer('dimensions', { min: 1 });
    const width = factorWidth(dimensions);
    const objective = {
      unobservedWeight: settings.number('unobservedWeight', { min: 0 }),
      regularization: settings.number('regularization', { min: 0 }),
      exponent: settings.number('exponent', { min: 0 }),
      // Old files and files of a model without recency do not have this setting.
      recencyHalfLife: settings.has('recencyHalfLife') ? settings.number('recencyHalfLife', { min: 0 }) : 0,
    };
    const factors = (name: string, rows: number): Matrix =>
      new Matrix(rows, width, runtime, part.memory(name, 4 * rows * width));
    const userFactors = factors('userFactors', users.size);
    const itemFactors = factors('itemFactors', items.wordCount);
    return new FoldIn({ users, items, userFactors, itemFactors, dimensions, objective });
  }

  #historyOf(feature: readonly string[]): Int32Array {
    const { items } = this.#parts;
    if (!Array.isArray(feature)) {
      throw new OptionError(`queries: expected a user or an array of items, got ${shown(feature)}`);
    }
    const ids = new Set<number>();
    for (const id of items.encode(feature)) {
      // A repeated item is inserted again, so that it moves to its last place.
      ids.delete(id);
      ids.add(id);
    }
    ids.delete(items.oovId);
    // The ids of known items begin after the id of unknown items.
    return Int32Array.from(ids, (id) => id - items.oovId - 1);
  }

  /** The vectors of histories, [histories, width]; the caller frees them. */
  #solve(histories: readonly ArrayLike<number>[]): Matrix {
    const { itemFactors, objective } = this.#parts;
    const solved = new Matrix(histories.length, itemFactors.dimensions, itemFactors.runtime);
    if (histories.every(({ length }) => length === 0)) return solved;
    const starts = new Int32Array(histories.length + 1);
    histories.forEach(({ length }, row) => {
      starts[row + 1] = starts[row]! + length;
    });
    const codes = new Int32Array(starts[histories.length]!);
    histories.forEach((history, row) => codes.set(history as Int32Array, starts[row]!));
    const lists: CodeLists = { starts, codes, codeCount: itemFactors.rows };
    const side = new AlsSide(weightedByRecency(lists, objective.recencyHalfLife), itemFactors, objective);
    side.solve(itemFactors, this.#gram, solved);
    side.free();
    return solved;
  }
}
