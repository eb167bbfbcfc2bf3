/**
 * Tables whose pointers are hashes of the id. Hashing trick, Bloom sum, compositional and unified embeddings differ
 * only in the number of columns and sums and in the range of rows of each term.
 */
import type { Part } from '../format/part.ts';
import { bytesOf, type Saved } from '../format/saved.ts';
import { Generator } from '../random/generator.ts';
import { Matrix } from '../vectors/matrix.ts';
import { ComposedTable } from './composed.ts';
import { HashFamily } from './hash-family.ts';
import { initialRows } from './initial.ts';
import type { TableContext } from './table-context.ts';

/** The shape of a hashed table. */
export interface HashedShape {
  method: string;
  vocabularySize: number;
  dimensions: number;
  columns: number;
  sums: number;
}

/** A composed table with one hash function per term. */
export class HashedTable extends ComposedTable {
  readonly method: string;
  readonly #hashes: HashFamily;

  constructor(shape: HashedShape, codebook: Matrix, hashes: HashFamily) {
    super(shape.vocabularySize, shape.dimensions, shape.columns, shape.sums, codebook);
    this.method = shape.method;
    this.#hashes = hashes;
  }

  /** A new table with random hashes and initial rows; `ranges[term]` is the range of rows of a term. */
  static draw(
    shape: HashedShape,
    rows: number,
    ranges: readonly { base: number; rows: number }[],
    { seed, runtime }: TableContext,
  ): HashedTable {
    const generator = new Generator(seed);
    const width = shape.dimensions / shape.columns;
    const codebook = initialRows(rows, width, shape.sums, generator.fork('rows'), runtime);
    return new HashedTable(shape, codebook, HashFamily.draw(ranges, generator.fork('hashes'), runtime));
  }

  protected override writePointers(ids: number, count: number, out: number): void {
    this.#hashes.write(this.runtime, ids, count, out);
  }

  override save(): Saved {
    const { method, vocabularySize, dimensions, columns, sums, codebook } = this;
    return {
      kind: method,
      settings: { vocabularySize, dimensions, columns, sums, rows: codebook.rows },
      sections: [
        { name: 'codebook', bytes: bytesOf(codebook.data) },
        { name: 'hashes', bytes: bytesOf(this.#hashes.words()) },
      ],
    };
  }

  /** Load a saved table. @throws {FormatError} when a hash could exceed the codebook */
  static load(part: Part): HashedTable {
    const { settings, runtime } = part;
    const vocabularySize = settings.integer('vocabularySize', { min: 1 });
    const dimensions = settings.integer('dimensions', { min: 1 });
    const columns = settings.integer('columns', { min: 1, max: dimensions });
    const sums = settings.integer('sums', { min: 1 });
    const rows = settings.integer('rows', { min: 1 });
    if (dimensions % columns !== 0)
      throw settings.error('columns', `expected a divisor of ${dimensions}, got ${columns}`);
    const width = dimensions / columns;
    const block = part.memory('codebook', 4 * rows * width);
    const hashes = HashFamily.load(part, columns * sums, rows);
    const shape = { method: part.kind, vocabularySize, dimensions, columns, sums };
    return new HashedTable(shape, new Matrix(rows, width, runtime, block), hashes);
  }
}
