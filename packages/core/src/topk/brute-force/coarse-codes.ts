/**
 * Coarse codes of packed candidates, 7 bits per dimension. A query reads the codes, a quarter of the bytes, and scores
 * exactly only the rows that the codes cannot rule out. The results have the same bits as those of the plain scan.
 *
 * Why no result is lost. Letters: a row x = s (c + ε) with scale s, integers c, ‖c‖ ≤ C and ‖ε‖ ≤ E over all rows; the
 * query q = r ĉ + e with scale r and integers ĉ; u = 2⁻²⁴. Then
 *   ⟨q, x⟩ = s (r ⟨ĉ, c⟩ + ⟨e, c⟩ + ⟨q, ε⟩) ≤ s (r ⟨ĉ, c⟩ + ‖e‖ C + ‖q‖ E)      (Cauchy–Schwarz)
 * and the float32 score exceeds ⟨q, x⟩ by at most γ_d ‖q‖ ‖x‖, γ_d ≈ d u (Higham, Accuracy and Stability, 3.1), with
 * ‖x‖ ≤ s (C + E). The three roundings of s (r ⟨ĉ, c⟩ + slack) in the kernel add a relative error of at most 4 u.
 * `slack` is the sum of these bounds, rounded up. Sums of integers are exact below 2²⁴, so d ≤ DIMENSIONS_MAX. Queries
 * whose scores could overflow or be subnormal float32 numbers use the plain scan.
 */
import type { Block } from '../../memory/heap.ts';
import { CHUNK_ROWS, PANEL_ROWS, type PanelStore, SPARE_BYTES } from './panel-store.ts';

/** 127 · 127 · d stays below 2²⁴, where float32 holds every integer. */
export const DIMENSIONS_MAX = 1024;
/** The largest magnitude of a query's code. */
const QUERY_LEVELS = 127;
/** The code of zero in a candidate. */
const ZERO = 64;
/** Queries shorter than this could make subnormal scores, whose rounding is not relative. */
const QUERY_NORM_MIN = 2 ** -16;
/** Scores cannot overflow while ‖q‖ ‖x‖ is at most this. */
const SCORE_MAX = 2 ** 120;
const UNIT = 2 ** -24;
/** More than the number of roundings in the kernel and in the float64 sums of this file. */
const KERNEL_ROUNDINGS = 16;
/** Factor that covers the float32 rounding of the slack. */
const ROUND_UP = 1 + 2 ** -20;
/** Panels that a thread claims at a time, at least. */
const PACK_GRAIN = 64;
const STATS_PER_PANEL = 3;
/** Factor that covers the float32 rounding of the kernel's sum ‖ε‖² for d ≤ DIMENSIONS_MAX. */
const SUM_ROUND_UP = 1 + 2 ** -10;
/** A ratio x/s ≤ 64 is rounded by at most 2⁻¹⁹ in a dimension. */
const RATIO_ROUNDING = 2 ** -18;

/** The codes of a query, and the numbers from which the kernel computes the bound of a row's score. */
export interface CodedQuery {
  codes: Int8Array;
  /** 64 Σ codes: the amount that the code of zero, 64, adds to each product. */
  offset: number;
  scale: number;
  slack: number;
}

/** Codes and scales of a finished `PanelStore`; `update` must be called when its rows change. */
export class CoarseCodes {
  readonly #store: PanelStore;
  /** Codes and scales of each chunk, and the rows there is room for. */
  readonly #blocks: { block: Block; room: number }[] = [];
  /** The result of `packCoarse` for each panel of a chunk. */
  readonly #stats: Block;
  /** Offsets of the codes by chunk, and behind them of the scales. */
  #tables: Block;
  #chunks = 0;
  #error = 0;
  #length = 0;
  #scale = 0;

  /** @throws {MemoryError} when the system gives no memory; `fits` says whether the linear memory has it */
  constructor(store: PanelStore) {
    const { heap } = store.runtime;
    this.#store = store;
    this.#stats = heap.allocate((CHUNK_ROWS / PANEL_ROWS) * STATS_PER_PANEL * 4);
    this.#tables = heap.allocate(0);
    try {
      this.#fit();
      for (let chunk = 0; chunk < store.chunkCount; chunk++) this.#codeChunk(chunk);
    } catch (error) {
      this.free();
      throw error;
    }
  }

  /** Whether the memory of a store can hold its codes, and what calls and updates need beside them. */
  static fits(store: PanelStore): boolean {
    return store.runtime.heap.canHold([SPARE_BYTES + store.capacity * rowBytes(store)]);
  }

  /** Code the rows of the store that were added or replaced. */
  update(rows: readonly number[]): void {
    const panels = [...new Set(rows.map((row) => Math.floor(row / PANEL_ROWS)))].sort((a, b) => a - b);
    if (panels.length === 0) return;
    this.#fit();
    const coded = new Set<number>();
    for (const panel of panels) {
      const chunk = Math.floor((panel * PANEL_ROWS) / CHUNK_ROWS);
      const from = panel - chunk * (CHUNK_ROWS / PANEL_ROWS);
      if (coded.has(chunk)) continue;
      if ((from + 1) * PANEL_ROWS <= (this.#blocks[chunk]?.room ?? 0)) this.#codePanels(chunk, from, from + 1);
      else {
        this.#codeChunk(chunk);
        coded.add(chunk);
      }
    }
  }

  /** Offset of the table of codes' offsets, by chunk. */
  get codeTable(): number {
    return this.#tables.offset;
  }

  /** Offset of the table of scales' offsets, by chunk. */
  get scaleTable(): number {
    return this.#tables.offset + 4 * this.#chunks;
  }

  /** Bytes held. */
  get sizeBytes(): number {
    return this.#blocks.reduce((sum, { block }) => sum + block.sizeBytes, this.#tables.sizeBytes);
  }

  /** A query of finite numbers in codes; undefined where the bound of this file does not hold for it. */
  code(query: Float32Array): CodedQuery | undefined {
    const d = query.length;
    let peak = 0;
    let squares = 0;
    for (const x of query) {
      peak = Math.max(peak, Math.abs(x));
      squares += x * x;
    }
    const norm = Math.sqrt(squares);
    // False also where one factor is NaN, because rows have overflowed.
    const isBounded = norm * this.#scale * (this.#length + this.#error) <= SCORE_MAX;
    if (!(norm >= QUERY_NORM_MIN && this.#length >= 1 && isBounded)) return undefined;
    const scale = Math.fround(peak / QUERY_LEVELS);
    const codes = new Int8Array(Math.ceil(d / 4) * 4);
    let sum = 0;
    let errors = 0;
    for (let t = 0; t < d; t++) {
      const code = Math.max(-QUERY_LEVELS, Math.min(QUERY_LEVELS, Math.round(query[t]! / scale)));
      codes[t] = code;
      sum += code;
      errors += (query[t]! - scale * code) ** 2;
    }
    const error = Math.sqrt(errors);
    const roundings = (d + KERNEL_ROUNDINGS) * UNIT * (norm + error) * (this.#length + this.#error);
    const slack = norm * this.#error + error * this.#length + 2 * roundings;
    return { codes, offset: ZERO * sum, scale, slack: Math.fround(slack * ROUND_UP) };
  }

  /** Give the memory back. */
  free(): void {
    for (const { block } of this.#blocks) block.free();
    this.#blocks.length = 0;
    this.#tables.free();
    this.#stats.free();
  }

  /** Tables for as many chunks as the store has. */
  #fit(): void {
    const { chunkCount, runtime } = this.#store;
    if (chunkCount === this.#chunks) return;
    const tables = runtime.heap.allocate(8 * chunkCount);
    this.#tables.free();
    this.#tables = tables;
    this.#chunks = chunkCount;
    this.#blocks.forEach((_, chunk) => {
      this.#enter(chunk);
    });
  }

  /** Put a chunk into the tables. */
  #enter(chunk: number): void {
    const { block, room } = this.#blocks[chunk]!;
    const table = this.#tables.integers(2 * this.#chunks);
    table[chunk] = block.offset;
    table[this.#chunks + chunk] = block.offset + room * this.#codeBytes;
  }

  /** Bytes of the codes of a row. */
  get #codeBytes(): number {
    return rowBytes(this.#store) - 4;
  }

  /** Code a whole chunk into a new block that has room for as many rows as the chunk. */
  #codeChunk(chunk: number): void {
    const store = this.#store;
    const { room } = store.chunk(chunk);
    const block = store.runtime.heap.allocate(room * rowBytes(store));
    this.#blocks[chunk]?.block.free();
    this.#blocks[chunk] = { block, room };
    this.#enter(chunk);
    const rows = Math.min(CHUNK_ROWS, store.rows - chunk * CHUNK_ROWS);
    this.#codePanels(chunk, 0, Math.ceil(rows / PANEL_ROWS));
  }

  #codePanels(chunk: number, begin: number, end: number): void {
    const { runtime, dimensions } = this.#store;
    const { block, room } = this.#blocks[chunk]!;
    const panels = end - begin;
    // The kernel counts panels from the start of what it is given.
    const packed = this.#store.chunk(chunk).offset + begin * PANEL_ROWS * dimensions * 4;
    const codes = block.offset + begin * PANEL_ROWS * this.#codeBytes;
    const scales = block.offset + room * this.#codeBytes + begin * PANEL_ROWS * 4;
    runtime.pool.run('packCoarse', panels, PACK_GRAIN, packed, dimensions, codes, scales, this.#stats.offset);
    this.#take(panels);
  }

  #take(panels: number): void {
    const values = this.#stats.floats(STATS_PER_PANEL * panels);
    const rounding = Math.sqrt(this.#store.dimensions) * RATIO_ROUNDING;
    for (let i = 0; i < values.length; i += STATS_PER_PANEL) {
      this.#error = Math.max(this.#error, Math.sqrt(values[i]! * SUM_ROUND_UP) + rounding);
      this.#length = Math.max(this.#length, Math.sqrt(values[i + 1]!));
      this.#scale = Math.max(this.#scale, values[i + 2]!);
    }
  }
}

/** Bytes of the codes of a row and of its scale. */
function rowBytes({ dimensions }: PanelStore): number {
  return Math.ceil(dimensions / 4) * 4 + 4;
}
