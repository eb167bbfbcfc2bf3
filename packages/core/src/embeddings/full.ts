/** The full table: one row of d float32 values for each id. Compressed tables are compared with it. */

import { checkArgument } from '../checks/arguments.ts';
import { checkInteger } from '../checks/numbers.ts';
import { NUMBER, optionsCheck, required } from '../checks/options.ts';
import type { Part } from '../format/part.ts';
import { bytesOf, type Saved } from '../format/saved.ts';
import type { SparseOptimizer } from '../optimizers/contract.ts';
import { defaultRuntime, RUNTIME, type Runtime } from '../parallel/runtime.ts';
import { Generator } from '../random/generator.ts';
import { MATRIX, Matrix } from '../vectors/matrix.ts';
import { ComposedTable } from './composed.ts';
import { checkGradientCall } from './ids.ts';
import { initialRows } from './initial.ts';

/** Options of a full table. */
export interface FullTableOptions {
  vocabularySize: number;
  dimensions: number;
  seed?: number;
  runtime?: Runtime;
}

const checkOptions = optionsCheck<FullTableOptions>('FullTable.create', {
  vocabularySize: required(NUMBER),
  dimensions: required(NUMBER),
  seed: NUMBER,
  runtime: RUNTIME,
});

/** One row per id: a composed table whose only pointer is the id itself. */
export class FullTable extends ComposedTable {
  readonly method = 'full';

  constructor(rows: Matrix) {
    checkArgument('rows', rows, MATRIX);
    super(rows.rows, rows.dimensions, 1, 1, rows);
  }

  /** A new table with uniform numbers in ±0.05, as Keras's Embedding. */
  static create(options: FullTableOptions): FullTable {
    const { vocabularySize, dimensions, seed = 42, runtime = defaultRuntime() } = checkOptions(options);
    checkInteger('vocabularySize', vocabularySize, 1);
    checkInteger('dimensions', dimensions, 1);
    return new FullTable(initialRows(vocabularySize, dimensions, 1, new Generator(seed).fork('rows'), runtime));
  }

  protected override writePointers(ids: number, count: number, out: number): void {
    this.runtime.heap.memory.bytes.copyWithin(out, ids, ids + 4 * count);
  }

  /** Do one optimizer step. Ids are distinct and are the row numbers, so no gradients have to be summed. */
  override applyGradient(ids: Int32Array, gradients: Matrix, optimizer: SparseOptimizer): void {
    checkGradientCall(this, ids, gradients, optimizer);
    optimizer.step(this.codebook, ids, gradients);
  }

  override save(): Saved {
    const { method, vocabularySize, dimensions, codebook } = this;
    return {
      kind: method,
      settings: { vocabularySize, dimensions },
      sections: [{ name: 'rows', bytes: bytesOf(codebook.data) }],
    };
  }

  /**
   * Load a saved table.
   *
   * @throws {FormatError} when settings and sections do not fit together
   */
  static load(part: Part): FullTable {
    const vocabularySize = part.settings.integer('vocabularySize', { min: 1 });
    const dimensions = part.settings.integer('dimensions', { min: 1 });
    const rows = part.memory('rows', 4 * vocabularySize * dimensions);
    return new FullTable(new Matrix(vocabularySize, dimensions, part.runtime, rows));
  }
}
