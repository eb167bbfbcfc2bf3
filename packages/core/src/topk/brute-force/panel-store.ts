/**
 * Candidates in the linear memory, packed for the scan.
 *
 * Layout: chunks of CHUNK_ROWS rows, each a block of its own, [panels][d][8] float32: eight rows side by side, so that
 * one load feeds eight sums. The last chunk is as long as it needs to be; rows past the end are zero and never offered.
 * Chunks are packed as rows arrive, so that a data set of unknown length is never in memory twice.
 */
import { assert } from '../../checks/assert.ts';
import { NotFiniteError, ShapeError } from '../../errors/errors.ts';
import type { Block } from '../../memory/heap.ts';
import type { Runtime } from '../../parallel/runtime.ts';
import type { VectorSource } from '../vector-source.ts';

/** Rows in a chunk; the kernels (assembly/topk.ts) know the same number. */
export const CHUNK_ROWS = 8192;
/** Rows in a panel. */
export const PANEL_ROWS = 8;

/** Packs at least this many panels a thread claim: below it, handing out work costs more than the work. */
const PACK_GRAIN = 64;

/** Bytes of rows packed in whole panels. */
export function packedBytes(rows: number, dimensions: number): number {
  return Math.ceil(rows / PANEL_ROWS) * PANEL_ROWS * dimensions * 4;
}

/** Candidates packed in panels. */
export class PanelStore {
  readonly runtime: Runtime;
  readonly #what: string;
  /** What was allocated: a block a chunk, or one with all chunks of a loaded store. */
  readonly #blocks: Block[] = [];
  /** Where each chunk begins. */
  readonly #chunks: number[] = [];
  #staging: Block | undefined;
  #staged = 0;
  #table: Block | undefined;
  #rows = 0;
  #passed = 0;
  #dimensions = 0;

  /** @param what the rows, for messages */
  constructor(runtime: Runtime, what = 'candidates') {
    this.runtime = runtime;
    this.#what = what;
  }

  /** Rows appended. */
  get rows(): number {
    return this.#rows;
  }

  /** Width of a row; 0 while there is none. */
  get dimensions(): number {
    return this.#dimensions;
  }

  /** Chunks of the finished store. */
  get chunkCount(): number {
    return this.#chunks.length;
  }

  /** Offset of the table of chunk offsets; 0 before `finish` and in an empty store. */
  get chunkTable(): number {
    return this.#table?.offset ?? 0;
  }

  /** Bytes held. */
  get sizeBytes(): number {
    return this.#blocks.reduce((sum, block) => sum + block.sizeBytes, this.#table?.sizeBytes ?? 0);
  }

  /**
   * Append rows.
   *
   * @throws {ShapeError} when their width is not that of earlier rows
   * @throws {NotFiniteError} naming row and column of a NaN or an infinity
   */
  append(source: VectorSource): this {
    assert(this.#table === undefined, 'panels: append after finish');
    if (source.rows === 0) return this;
    if (source.dimensions === 0) throw new ShapeError(`${this.#what}: expected rows of at least 1 dimension, got 0`);
    if (this.#dimensions === 0) this.#dimensions = source.dimensions;
    if (source.dimensions !== this.#dimensions) {
      throw new ShapeError(
        `${this.#what}: expected ${this.#dimensions} dimensions as before, got ${source.dimensions} from row ` +
          `${this.#passed + this.#rows}`,
      );
    }
    const d = this.#dimensions;
    this.#staging ??= this.runtime.heap.allocate(Math.min(CHUNK_ROWS, Math.max(source.rows, 1)) * d * 4);
    for (let begin = 0; begin < source.rows; ) {
      const end = Math.min(source.rows, begin + CHUNK_ROWS - this.#staged);
      this.#reserve(this.#staged + end - begin);
      const length = (end - begin) * d;
      const at = this.#staged * d * 4;
      source.copy(begin, end, this.#staging.floats(length, at));
      this.#check(this.#staging.offset + at, length);
      this.#staged += end - begin;
      this.#rows += end - begin;
      begin = end;
      if (this.#staged === CHUNK_ROWS) this.#pack();
    }
    return this;
  }

  /** Close the store: pack what is left and give the staging memory back. */
  finish(): this {
    if (this.#staged > 0) this.#pack();
    this.#staging?.free();
    this.#staging = undefined;
    if (this.#chunks.length > 0) {
      this.#table = this.runtime.heap.allocate(4 * this.#chunks.length);
      this.#table.integers(this.#chunks.length).set(this.#chunks);
    }
    return this;
  }

  /** The packed rows as they are saved: chunk after chunk, each a view. */
  pieces(): Uint8Array[] {
    const { bytes } = this.runtime.heap.memory;
    if (this.#chunks.length === 0) return [bytes.subarray(0, 0)];
    const chunkBytes = packedBytes(CHUNK_ROWS, this.#dimensions);
    const all = packedBytes(this.#rows, this.#dimensions);
    return this.#chunks.map((at, i) => bytes.subarray(at, at + Math.min(chunkBytes, all - i * chunkBytes)));
  }

  /** A finished store over packed rows in one block of `packedBytes(rows, dimensions)`, which it owns from now on. */
  static adopt(runtime: Runtime, block: Block, rows: number, dimensions: number): PanelStore {
    const store = new PanelStore(runtime);
    store.#blocks.push(block);
    store.#rows = rows;
    store.#dimensions = dimensions;
    const chunkBytes = packedBytes(CHUNK_ROWS, dimensions);
    for (let row = 0; row < rows; row += CHUNK_ROWS) {
      store.#chunks.push(block.offset + store.#chunks.length * chunkBytes);
    }
    return store.finish();
  }

  /** Row `row` as a copy. */
  row(row: number): Float32Array {
    const d = this.#dimensions;
    const panel = Math.floor((row % CHUNK_ROWS) / PANEL_ROWS);
    const at = this.#chunks[Math.floor(row / CHUNK_ROWS)]! / 4 + panel * d * PANEL_ROWS + (row % PANEL_ROWS);
    const { floats } = this.runtime.heap.memory;
    return Float32Array.from({ length: d }, (_, t) => floats[at + t * PANEL_ROWS]!);
  }

  /** Let go of the rows and be open again for later ones of the same width; messages count on. */
  restart(): void {
    const { rows } = this;
    this.free();
    this.#passed += rows;
  }

  /** Give everything back. */
  free(): void {
    for (const block of this.#blocks) block.free();
    this.#blocks.length = this.#chunks.length = 0;
    this.#staging?.free();
    this.#table?.free();
    this.#staging = this.#table = undefined;
    this.#rows = this.#staged = 0;
  }

  /** Staging for `rows` rows: small for a small index, one whole chunk once it is outgrown. */
  #reserve(rows: number): void {
    const d = this.#dimensions;
    if (this.#staging!.sizeBytes >= rows * d * 4) return;
    const larger = this.runtime.heap.allocate(CHUNK_ROWS * d * 4);
    larger.bytes().set(this.#staging!.bytes().subarray(0, this.#staged * d * 4));
    this.#staging!.free();
    this.#staging = larger;
  }

  #check(offset: number, length: number): void {
    const at = this.runtime.kernels.findNotFinite(offset, length);
    if (at < 0) return;
    const row = this.#passed + this.#rows + Math.floor(at / this.#dimensions);
    const value = this.runtime.heap.memory.floats[offset / 4 + at];
    throw new NotFiniteError(
      `${this.#what}: expected finite numbers, got ${value} in row ${row}, column ${at % this.#dimensions}`,
    );
  }

  #pack(): void {
    const d = this.#dimensions;
    const panels = Math.ceil(this.#staged / PANEL_ROWS);
    const chunk = this.runtime.heap.allocate(panels * PANEL_ROWS * d * 4);
    const { offset } = this.#staging!;
    this.runtime.pool.run('packPanels', panels, PACK_GRAIN, offset, this.#staged, d, chunk.offset);
    this.#blocks.push(chunk);
    this.#chunks.push(chunk.offset);
    this.#staged = 0;
  }
}
