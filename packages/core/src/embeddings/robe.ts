/**
 * ROBE, random offset block embedding: every block of a vector is a run of consecutive floats of one circular array.
 *
 *   vector(i)[j·w + t] = memory[(h_j(i) + t) mod size],   t < w = d / columns
 *
 * Runs overlap, so that about the same number of ids uses each float, for any budget. Source: Desai, Chou, Shrivastava,
 * "Random offset block embedding", MLSys 2022. Letters: w width of a block. Limit: each gather and each gradient
 * computes a pointer per float, which is slower than compositional embeddings.
 */
import { NUMBER, optionsCheck, STRING } from '../checks/options.ts';
import type { Part } from '../format/part.ts';
import { bytesOf, type Saved } from '../format/saved.ts';
import { Scratch } from '../memory/scratch.ts';
import { Generator } from '../random/generator.ts';
import { Matrix } from '../vectors/matrix.ts';
import { affordRows, BUDGET, type Budget, sliceWidth, type WithMethod } from './budget.ts';
import { ComposedTable } from './composed.ts';
import { HASH_WORDS_BYTES, HashFamily } from './hash-family.ts';
import { initialRows } from './initial.ts';
import { checkContext, type TableContext } from './table-context.ts';

/** Options of a ROBE table. */
export type RobeOptions = Budget & {
  /** Blocks of a vector; a divisor of the dimensions; default 4. */
  columns?: number;
};

const checkOptions = optionsCheck<WithMethod<RobeOptions>>('embedding (robe)', {
  ...BUDGET,
  method: STRING,
  columns: NUMBER,
});

/** A composed table whose codebook rows are single floats. */
export class Robe extends ComposedTable {
  readonly method = 'robe';
  /** Number of blocks of a vector. */
  readonly blocks: number;
  readonly #hashes: HashFamily;
  readonly #starts: Scratch;

  private constructor(vocabularySize: number, dimensions: number, hashes: HashFamily, memory: Matrix) {
    super(vocabularySize, dimensions, dimensions, 1, memory);
    this.blocks = hashes.terms;
    this.#hashes = hashes;
    this.#starts = new Scratch(memory.runtime.heap);
  }

  /**
   * A new table.
   *
   * @throws {OptionError} when the budget is below one block, or columns do not divide the dimensions
   */
  static create(options: RobeOptions, context: TableContext): Robe {
    checkOptions(options);
    const { vocabularySize, dimensions, seed, runtime } = checkContext(context);
    const columns = options.columns ?? 4;
    const width = sliceWidth(dimensions, columns);
    const otherBytes = (): number => columns * HASH_WORDS_BYTES;
    const cost = { parameters: (floats: number) => floats, otherBytes, rowsMin: width };
    const size = affordRows('robe', options, cost, context);
    const generator = new Generator(seed);
    const memory = initialRows(size, 1, 1, generator.fork('rows'), runtime);
    const ranges = Array.from({ length: columns }, () => ({ base: 0, rows: size }));
    return new Robe(vocabularySize, dimensions, HashFamily.draw(ranges, generator.fork('hashes'), runtime), memory);
  }

  protected override writePointers(ids: number, count: number, out: number): void {
    const { blocks, dimensions, codebook } = this;
    const starts = this.#starts.reserve(4 * count * blocks);
    this.#hashes.write(this.runtime, ids, count, starts.offset);
    const { integers } = this.runtime.heap.memory;
    const [from, width, size] = [starts.offset / 4, dimensions / blocks, codebook.rows];
    let to = out / 4;
    for (let run = 0; run < count * blocks; run++) {
      let at = integers[from + run]!;
      for (let t = 0; t < width; t++) {
        integers[to++] = at;
        at = at + 1 === size ? 0 : at + 1;
      }
    }
  }

  override save(): Saved {
    const { method, vocabularySize, dimensions, blocks, codebook } = this;
    return {
      kind: method,
      settings: { vocabularySize, dimensions, columns: blocks, size: codebook.rows },
      sections: [
        { name: 'memory', bytes: bytesOf(codebook.data) },
        { name: 'hashes', bytes: bytesOf(this.#hashes.words()) },
      ],
    };
  }

  /** Load a saved table. @throws {FormatError} when a hash could exceed the array */
  static load(part: Part): Robe {
    const { settings, runtime } = part;
    const vocabularySize = settings.integer('vocabularySize', { min: 1 });
    const dimensions = settings.integer('dimensions', { min: 1 });
    const columns = settings.integer('columns', { min: 1, max: dimensions });
    const size = settings.integer('size', { min: 1 });
    if (dimensions % columns !== 0)
      throw settings.error('columns', `expected a divisor of ${dimensions}, got ${columns}`);
    const memory = new Matrix(size, 1, runtime, part.memory('memory', 4 * size));
    return new Robe(vocabularySize, dimensions, HashFamily.load(part, columns, size), memory);
  }
}
