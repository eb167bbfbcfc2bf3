/**
 * Candidates in the linear memory, packed for the scan.
 *
 * Layout: chunks of CHUNK_ROWS rows, each [panels][d][8] float32: eight rows side by side, so that one load feeds eight
 * sums. The last chunk is only as long as its rows need; the search does not score rows past the end. Chunks are packed
 * as rows arrive, so a data set of unknown length is never in memory twice. A finished store can grow: its last chunk
 * is copied to a longer one until it has CHUNK_ROWS rows, then chunks are added.
 */
import { assert } from '../../checks/assert.ts';
import { ShapeError } from '../../errors/errors.ts';
import type { Block } from '../../memory/heap.ts';
import type { Runtime } from '../../parallel/runtime.ts';
import { checkFiniteRows } from '../../vectors/check-finite.ts';
import type { RowSink } from '../candidate-builder.ts';
import { memoryError } from '../memory-error.ts';
import type { VectorSource } from '../vector-source.ts';

/** Rows in a chunk; the kernels (assembly/topk.ts) use the same constant. */
export const CHUNK_ROWS = 8192;
/** Rows in a panel. */
export const PANEL_ROWS = 8;

/** Memory that copies which only save time leave free, for the scratch of calls and for new candidates. */
export const SPARE_BYTES: number = 2 ** 26;

/** Panels that a thread claims at a time: claiming fewer would cost more time than packing them. */
const PACK_GRAIN = 64;

/** Bytes of rows packed in whole panels. */
export function packedBytes(rows: number, dimensions: number): number {
  return Math.ceil(rows / PANEL_ROWS) * PANEL_ROWS * dimensions * 4;
}

/** Rows for which an empty store takes room at first. */
const ROWS_FIRST = 64;

const NO_ROWS = { firstRow: 0, dimensions: 0 };

/** Candidates packed in panels. */
export class PanelStore implements RowSink {
  readonly runtime: Runtime;
  readonly #what: string;
  /** The block of all chunks of a loaded store. */
  #loaded: Block | undefined;
  /** The byte offset of each chunk, and its block where it has one of its own. */
  readonly #chunks: { offset: number; block: Block | undefined }[] = [];
  /** Rows that the last chunk has room for. */
  #lastRoom = 0;
  #staging: Block | undefined;
  #staged = 0;
  #table: Block | undefined;
  #rows = 0;
  #passed: number;
  #dimensions: number;

  /**
   * @param what name of the rows in messages
   * @param begin the number of the first row in messages, and the width of rows; 0: the width of the first rows
   */
  constructor(runtime: Runtime, what = 'candidates', begin: { firstRow: number; dimensions: number } = NO_ROWS) {
    this.runtime = runtime;
    this.#what = what;
    this.#passed = begin.firstRow;
    this.#dimensions = begin.dimensions;
  }

  /** Rows appended or added. */
  get rows(): number {
    return this.#rows;
  }

  /** Rows that the chunks have room for. */
  get capacity(): number {
    return Math.max(0, this.#chunks.length - 1) * CHUNK_ROWS + this.#lastRoom;
  }

  /** Width of a row; 0 while there is none. */
  get dimensions(): number {
    return this.#dimensions;
  }

  /** Chunks that hold rows. */
  get chunkCount(): number {
    return Math.ceil(this.#rows / CHUNK_ROWS);
  }

  /** Offset of the table of chunk offsets; 0 before `finish` and in an empty store. */
  get chunkTable(): number {
    return this.#table?.offset ?? 0;
  }

  /** The byte offset of a chunk, and the rows it has room for. */
  chunk(index: number): { offset: number; room: number } {
    const room = index === this.#chunks.length - 1 ? this.#lastRoom : CHUNK_ROWS;
    return { offset: this.#chunks[index]!.offset, room };
  }

  /** Bytes held. */
  get sizeBytes(): number {
    const held = (this.#loaded?.sizeBytes ?? 0) + (this.#table?.sizeBytes ?? 0);
    return this.#chunks.reduce((sum, { block }) => sum + (block?.sizeBytes ?? 0), held);
  }

  /**
   * Append rows.
   *
   * @throws {ShapeError} when their width is not that of earlier rows
   * @throws {NotFiniteError} naming row and column of a NaN or an infinity
   * @throws {MemoryError} when the memory cannot hold them; none of them was copied
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
    this.#askFor(source.rows);
    this.#staging ??= this.runtime.heap.allocate(Math.min(CHUNK_ROWS, Math.max(source.rows, 1)) * d * 4);
    for (let begin = 0; begin < source.rows; ) {
      const end = Math.min(source.rows, begin + CHUNK_ROWS - this.#staged);
      this.#reserve(this.#staged + end - begin);
      const at = this.#staged * d * 4;
      source.copy(begin, end, this.#staging.floats((end - begin) * d, at));
      const copied = { offset: this.#staging.offset + at, rows: end - begin, dimensions: d };
      checkFiniteRows(this.#what, this.runtime, copied, (row) => this.#passed + this.#rows + row);
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
    this.#writeTable();
    return this;
  }

  /**
   * A finished store over packed rows in one block, which the store then owns. Bytes of the block after
   * `packedBytes(rows, dimensions)` are room for more rows.
   */
  static adopt(runtime: Runtime, block: Block, rows: number, dimensions: number): PanelStore {
    const store = new PanelStore(runtime);
    store.#loaded = block;
    store.#rows = rows;
    store.#dimensions = dimensions;
    const room = dimensions === 0 ? 0 : Math.floor(block.sizeBytes / packedBytes(PANEL_ROWS, dimensions)) * PANEL_ROWS;
    const chunkBytes = packedBytes(CHUNK_ROWS, dimensions);
    for (let row = 0; row < room; row += CHUNK_ROWS) {
      store.#chunks.push({ offset: block.offset + store.#chunks.length * chunkBytes, block: undefined });
      store.#lastRoom = Math.min(CHUNK_ROWS, room - row);
    }
    return store.finish();
  }

  /**
   * Make room for rows of a finished store, one chunk per step; it can be searched between the steps.
   *
   * @throws {MemoryError} when the memory cannot hold them; nothing was allocated then
   */
  *growth(rows: number): Generator<void, void> {
    this.#askForRoom(rows);
    while (this.capacity < rows) {
      const index = this.#lastRoom < CHUNK_ROWS ? Math.max(0, this.#chunks.length - 1) : this.#chunks.length;
      // Doubling the last chunk keeps a small store small and copies each row only a few times.
      const wanted = Math.max(ROWS_FIRST, rows, 2 * this.#lastRoom);
      const room = index > 0 ? CHUNK_ROWS : Math.min(CHUNK_ROWS, Math.ceil(wanted / PANEL_ROWS) * PANEL_ROWS);
      const block = this.runtime.heap.allocateUnfilled(packedBytes(room, this.#dimensions));
      const old = this.#chunks[index];
      if (old) {
        const { bytes } = this.runtime.heap.memory;
        const used = packedBytes(this.#rows - index * CHUNK_ROWS, this.#dimensions);
        bytes.copyWithin(block.offset, old.offset, old.offset + used);
        old.block?.free();
      }
      this.#chunks[index] = { offset: block.offset, block };
      this.#lastRoom = room;
      this.#writeTable();
      yield;
    }
  }

  /** Put `dimensions` numbers of an array into a row of a finished store, or into the next one, for which there is room. */
  put(row: number, values: Float32Array, begin: number): void {
    assert(row <= this.#rows && row < this.capacity, `panels: row ${row} of ${this.#rows}`);
    const d = this.#dimensions;
    const { floats } = this.runtime.heap.memory;
    const at = this.#at(row);
    if (row === this.#rows) {
      this.#rows++;
      if (row % PANEL_ROWS === 0) floats.fill(0, at, at + d * PANEL_ROWS);
    }
    for (let t = 0; t < d; t++) floats[at + t * PANEL_ROWS] = values[begin + t]!;
  }

  /** Row `row` as a copy. */
  row(row: number): Float32Array {
    const to = new Float32Array(this.#dimensions);
    this.reader()(row, to);
    return to;
  }

  /** A function that copies a row; it is valid until rows are added. */
  reader(): (row: number, to: Float32Array) => void {
    const { floats } = this.runtime.heap.memory;
    const d = this.#dimensions;
    const begins = this.#chunks.map(({ offset }) => offset / 4);
    return (row, to) => {
      const inChunk = row % CHUNK_ROWS;
      const at =
        begins[(row - inChunk) / CHUNK_ROWS]! + (inChunk - (inChunk % PANEL_ROWS)) * d + (inChunk % PANEL_ROWS);
      for (let t = 0; t < d; t++) to[t] = floats[at + t * PANEL_ROWS]!;
    };
  }

  /** Drop the rows and accept further ones of the same width; row numbers in error messages continue. */
  restart(): void {
    const { rows } = this;
    this.free();
    this.#passed += rows;
  }

  /** Give everything back. */
  free(): void {
    for (const { block } of this.#chunks) block?.free();
    this.#chunks.length = 0;
    this.#loaded?.free();
    this.#staging?.free();
    this.#table?.free();
    this.#loaded = this.#staging = this.#table = undefined;
    this.#rows = this.#staged = this.#lastRoom = 0;
  }

  /**
   * Index of the first number of a row among the floats of the memory; its next numbers follow at a stride of
   * PANEL_ROWS.
   */
  #at(row: number): number {
    const panel = Math.floor((row % CHUNK_ROWS) / PANEL_ROWS);
    const { offset } = this.#chunks[Math.floor(row / CHUNK_ROWS)]!;
    return offset / 4 + panel * this.#dimensions * PANEL_ROWS + (row % PANEL_ROWS);
  }

  #writeTable(): void {
    const { length } = this.#chunks;
    if (length === 0) return;
    if (!this.#table || this.#table.sizeBytes < 4 * length) {
      const table = this.runtime.heap.allocate(4 * length);
      this.#table?.free();
      this.#table = table;
    }
    this.#table.integers(length).set(this.#chunks.map(({ offset }) => offset));
  }

  /** Make room for `rows` rows in the staging block: it is small for a small index, and grows once to a whole chunk. */
  #reserve(rows: number): void {
    const d = this.#dimensions;
    if (this.#staging!.sizeBytes >= rows * d * 4) return;
    const larger = this.runtime.heap.allocate(CHUNK_ROWS * d * 4);
    larger.bytes().set(this.#staging!.bytes().subarray(0, this.#staged * d * 4));
    this.#staging!.free();
    this.#staging = larger;
  }

  /** Check that the memory can hold `rows` more, before they are copied. */
  #askFor(rows: number): void {
    const staged = this.#staged;
    this.#ask(
      rows,
      (more) => Math.floor((staged + more) / CHUNK_ROWS),
      (more, d) => [
        this.#staging ? 0 : 4 * d * Math.min(CHUNK_ROWS, more),
        packedBytes((staged + more) % CHUNK_ROWS, d),
      ],
    );
  }

  /** Check that the memory can hold the chunks of `growth`, before the first is allocated. */
  #askForRoom(rows: number): void {
    const full = this.#lastRoom < CHUNK_ROWS ? Math.max(0, this.#chunks.length - 1) : this.#chunks.length;
    const chunksOf = (wanted: number): number => Math.max(0, Math.ceil(wanted / CHUNK_ROWS) - full);
    // A store without a width has no rows yet. One chunk is at most as long as its rows need; its allocation says whether it fits.
    if (this.#dimensions > 0 && chunksOf(rows) > 1) this.#ask(rows, chunksOf, () => []);
  }

  /**
   * Check that the memory can hold the blocks of some rows.
   *
   * @param chunksOf the number of whole chunks, and `othersOf` the bytes of other blocks, for a number of rows
   * @throws {MemoryError} naming rows, dimensions, the bytes needed and in use, and what would fit
   */
  #ask(rows: number, chunksOf: (rows: number) => number, othersOf: (rows: number, d: number) => number[]): void {
    const { heap } = this.runtime;
    const dimensions = this.#dimensions;
    const bytesOf = (n: number, d: number): number =>
      othersOf(n, d).reduce((sum, size) => sum + size, chunksOf(n) * packedBytes(CHUNK_ROWS, d));
    const fits = (n: number, d: number): boolean =>
      bytesOf(n, d) <= heap.memory.maxBytes &&
      heap.canHold([...othersOf(n, d), ...new Array<number>(chunksOf(n)).fill(packedBytes(CHUNK_ROWS, d))]);
    if (fits(rows, dimensions)) return;
    const bytes = bytesOf(rows, dimensions);
    throw memoryError(heap, { name: this.#what, rows, dimensions, bytes, fits });
  }

  #pack(): void {
    const d = this.#dimensions;
    const panels = Math.ceil(this.#staged / PANEL_ROWS);
    const block = this.runtime.heap.allocate(packedBytes(this.#staged, d));
    const { offset } = this.#staging!;
    this.runtime.pool.run('packPanels', panels, PACK_GRAIN, offset, this.#staged, d, block.offset);
    this.#chunks.push({ offset: block.offset, block });
    this.#lastRoom = panels * PANEL_ROWS;
    this.#staged = 0;
  }
}
