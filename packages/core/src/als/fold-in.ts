/**
 * The query model of implicit ALS. The vector of a user of the training data is that user's row of factors. The vector of
 * anybody else is folded in from a history, the earliest item first, by solving one d × d system against the factors of the
 * items (solver.ts, recency.ts). The history of a user of the training data gives that user's row, bit for bit.
 */
import { shown } from '../checks/numbers.ts';
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
  /** [users.size, width]; row 0, of unknown users, is the mean of the others. */
  readonly userFactors: Matrix;
  /** [items.vocabulary.length, width] */
  readonly itemFactors: Matrix;
  /** Of a vector; what the factors have beyond is 0. */
  readonly dimensions: number;
  readonly objective: AlsObjective;
}

/** Turns users and histories into vectors. */
export class FoldIn implements QueryModel<UserOrHistory> {
  readonly dimensions: number;
  /** Named like a tower's: one plain feature, with the users that are known. */
  readonly inputs: readonly { readonly name: string; readonly lookup: FoldInParts['users'] }[];
  readonly #parts: FoldInParts;
  readonly #gram: Matrix;
  #answer: Matrix | undefined;

  constructor(parts: FoldInParts) {
    this.#parts = parts;
    this.inputs = [{ name: '', lookup: parts.users }];
    this.dimensions = parts.dimensions;
    this.#gram = gramOf(parts.itemFactors, parts.objective.unobservedWeight);
  }

  /** The users and items it knows, and their factors. */
  get parts(): FoldInParts {
    return this.#parts;
  }

  /**
   * Vectors [features.length, dimensions], valid until the next call. An unknown user, and a history of which no item is
   * known, get the mean of all users. An item counts once, where it stands last; unknown ones are passed over.
   *
   * @throws {OptionError} when a query is neither a string nor an array of strings
   */
  embed(features: readonly UserOrHistory[]): Matrix {
    const { users, userFactors, itemFactors } = this.#parts;
    const histories = features.map((feature) => (typeof feature === 'string' ? [] : this.#historyOf(feature)));
    const solved = this.#solve(histories);
    if (this.#answer?.rows !== features.length) {
      this.#answer?.free();
      this.#answer = new Matrix(features.length, this.dimensions, itemFactors.runtime);
    }
    const answer = this.#answer;
    features.forEach((feature, row) => {
      const known = typeof feature === 'string' ? userFactors.row(users.idOf(feature)) : userFactors.row(users.oovId);
      const vector = histories[row]!.length > 0 ? solved.row(row) : known;
      answer.row(row).set(vector.subarray(0, this.dimensions));
    });
    solved.free();
    return answer;
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
   * The query model that was saved; it answers with the same bits.
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
      // Files from before recency, and those without it, have none.
      recencyHalfLife: settings.has('recencyHalfLife') ? settings.number('recencyHalfLife', { min: 0 }) : 0,
    };
    const factors = (name: string, rows: number): Matrix =>
      new Matrix(rows, width, runtime, part.memory(name, 4 * rows * width));
    const userFactors = factors('userFactors', users.size);
    const itemFactors = factors('itemFactors', items.vocabulary.length);
    return new FoldIn({ users, items, userFactors, itemFactors, dimensions, objective });
  }

  #historyOf(feature: readonly string[]): Int32Array {
    const { items } = this.#parts;
    if (!Array.isArray(feature)) {
      throw new OptionError(`queries: expected a user or an array of items, got ${shown(feature)}`);
    }
    const ids = new Set<number>();
    for (const id of items.encode(feature)) {
      // Put in again, a repeated item moves to where it stands last.
      ids.delete(id);
      ids.add(id);
    }
    ids.delete(items.oovId);
    // Ids begin after that of unknown items.
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
