/**
 * Tables made from a trained table by quantization, with stored pointers into codebooks of centroids. Product and
 * residual quantization differ only in the numbers of columns and sums.
 *
 *   product    vector(i) = [ C_1[p_1(i)] | … | C_c[p_c(i)] ]      c columns, 1 sum
 *   residual   vector(i) = C_1[p_1(i)] + … + C_M[p_M(i)]          1 column, M sums
 *
 * Saved: centroids in float32 and ⌈log2 k⌉ bits per pointer; in memory a pointer is 2 bytes, k is at most 65,536.
 */

import { checkInteger } from '../checks/numbers.ts';
import { FUNCTION, NUMBER, type OptionTypes, SIGNAL } from '../checks/options.ts';
import type { OnWarning } from '../checks/warning.ts';
import { OptionError } from '../errors/errors.ts';
import type { Part } from '../format/part.ts';
import { bytesOf, type Saved } from '../format/saved.ts';
import type { Block } from '../memory/heap.ts';
import { modelPool } from '../parallel/model-pool.ts';
import type { Runtime } from '../parallel/runtime.ts';
import { Matrix } from '../vectors/matrix.ts';
import { affordRows, type Budget } from './budget.ts';
import { ComposedTable } from './composed.ts';
import { loadPointers, packedBytes, packPointers, pointerBits } from './packed-pointers.ts';

/** Pointers are uint16 in memory. */
const ROWS_MAX = 65_536;
/** Ids that a thread claims at a time for reading pointers. */
const GRAIN_IDS = 1024;

/** Options of the quantization of a trained table. */
export interface QuantizeOptions {
  /** Lloyd's iterations per codebook; default 25, as FAISS's product quantizers. */
  iterations?: number;
  /** Default 42. */
  seed?: number;
  /** Interrupts the work; nothing has changed then. */
  signal?: AbortSignal | undefined;
  /** Called with the share done, in [0, 1]. */
  onProgress?: (share: number) => void;
  /** Called with one line where the budget is above the full table's size; default `console.warn`. */
  onWarning?: OnWarning | undefined;
}

/** The types of these options. */
export const QUANTIZE: OptionTypes<QuantizeOptions> = {
  iterations: NUMBER,
  seed: NUMBER,
  signal: SIGNAL,
  onProgress: FUNCTION,
  onWarning: FUNCTION,
};

/** Lloyd's iterations by default. */
export const QUANTIZE_ITERATIONS = 25;
/** The shape of a quantized table. */
export interface QuantizedShape {
  method: 'product' | 'residual';
  vocabularySize: number;
  columns: number;
  sums: number;
}

/** A composed table with stored pointers. It can be trained further like any other table. */
export class QuantizedTable extends ComposedTable {
  readonly method: 'product' | 'residual';
  readonly #pointers: Block;

  /** @param pointers [V, columns · sums] uint16, each within its own codebook of codebook.rows / (columns · sums) rows */
  constructor({ method, vocabularySize, columns, sums }: QuantizedShape, codebook: Matrix, pointers: Block) {
    super(vocabularySize, columns * codebook.dimensions, columns, sums, codebook);
    this.method = method;
    this.#pointers = pointers;
  }

  /** Rows of one codebook. */
  get rowsPerTable(): number {
    return this.codebook.rows / (this.columns * this.sums);
  }

  protected override writePointers(ids: number, count: number, out: number): void {
    const { columns, sums, runtime, rowsPerTable } = this;
    const { offset } = this.#pointers;
    modelPool(runtime).run('readPointers', count, GRAIN_IDS, ids, offset, columns * sums, 1, rowsPerTable, out);
  }

  override save(): Saved {
    const { method, vocabularySize, dimensions, columns, sums, codebook, rowsPerTable } = this;
    const { heap, offset } = this.#pointers;
    const pointers = new Uint16Array(heap.memory.memory.buffer, offset, vocabularySize * columns * sums);
    return {
      kind: method,
      settings: { vocabularySize, dimensions, columns, sums, rows: codebook.rows },
      sections: [
        { name: 'codebook', bytes: bytesOf(codebook.data) },
        { name: 'pointers', bytes: packPointers(pointers, pointerBits(rowsPerTable)) },
      ],
    };
  }

  /** Load a saved table. @throws {FormatError} when a pointer exceeds its codebook */
  static load(part: Part): QuantizedTable {
    const { settings, runtime } = part;
    const method = part.kind === 'residual' ? 'residual' : 'product';
    const vocabularySize = settings.integer('vocabularySize', { min: 1 });
    const dimensions = settings.integer('dimensions', { min: 1 });
    const columns = settings.integer('columns', { min: 1, max: dimensions });
    const sums = settings.integer('sums', { min: 1 });
    const terms = columns * sums;
    const rows = settings.integer('rows', { min: terms, max: terms * ROWS_MAX });
    if (dimensions % columns !== 0 || rows % terms !== 0) {
      throw settings.error('columns', `expected ${terms} equal codebooks in ${rows} rows and ${dimensions} dimensions`);
    }
    const width = dimensions / columns;
    const codebook = new Matrix(rows, width, runtime, part.memory('codebook', 4 * rows * width));
    const pointers = loadPointers(part, vocabularySize, terms, rows / terms);
    return new QuantizedTable({ method, vocabularySize, columns, sums }, codebook, pointers);
  }
}

/**
 * k, the rows of one codebook, for a budget; at most the number of ids. A budget in bytes includes the pointers, which
 * grow with log2 k.
 *
 * @param rowParameters float32 parameters of one row of each codebook
 * @param terms the number of codebooks
 * @throws {OptionError} when the budget is below one row per codebook
 */
export function affordCentroids(
  method: string,
  options: Budget & QuantizeOptions,
  { vocabularySize, dimensions }: { vocabularySize: number; dimensions: number },
  { rowParameters, terms }: { rowParameters: number; terms: number },
): number {
  const cost = {
    parameters: (rows: number) => rows * rowParameters,
    otherBytes: (rows: number) => packedBytes(vocabularySize * terms, pointerBits(rows)),
    rowsMax: Math.min(vocabularySize, ROWS_MAX),
  };
  return affordRows(method, options, cost, { vocabularySize, dimensions, onWarning: options.onWarning });
}

/** The runtime whose memory holds a table. */
export function runtimeOf(trained: readonly Matrix[]): Runtime {
  const first = trained[0];
  if (!first) throw new OptionError('table: expected one with trained parameters, got none');
  return first.runtime;
}

/** Checked options with their defaults. */
export function quantizeSettings({ iterations = QUANTIZE_ITERATIONS, seed = 42 }: QuantizeOptions): {
  iterations: number;
  seed: number;
} {
  return { iterations: checkInteger('iterations', iterations, 1), seed: checkInteger('seed', seed, 0) };
}
