/**
 * The search of one call over candidates that are read in batches. Rows are packed into one chunk, and each full chunk
 * is scored for all queries. Each call has its own buffers and identifiers, so several calls may run at the same time.
 */
import { ShapeError } from '../../errors/errors.ts';
import type { Block } from '../../memory/heap.ts';
import { Scratch } from '../../memory/scratch.ts';
import type { Runtime } from '../../parallel/runtime.ts';
import { bufferBytes, bufferCapacity, QUERY_BLOCK, tileBytes } from '../brute-force/panel-search.ts';
import { CHUNK_ROWS, PanelStore } from '../brute-force/panel-store.ts';
import { CandidateBuilder, type RowSink } from '../candidate-builder.ts';
import type { CallOptions, CandidateBatch, Identifier } from '../contract.ts';
import { writeQueries } from '../queries.ts';
import { TopKResult } from '../result.ts';
import { RowMask } from '../row-mask.ts';
import type { VectorSource } from '../vector-source.ts';

/** The search of one call. */
export class StreamSearch<I extends Identifier> implements RowSink {
  readonly #runtime: Runtime;
  readonly #options: CallOptions<I> & { k: number };
  readonly #builder: CandidateBuilder<I> = new CandidateBuilder<I>(this);
  readonly #queryCount: number;
  readonly #dimensions: number;
  readonly #isSquared: boolean;
  readonly #queries: Block;
  readonly #buffers: Block;
  readonly #tiles: Block;
  readonly #masks: Scratch;
  readonly #store: PanelStore;
  #searched = 0;

  /** @param isSquared the score is −|q − x|²; default ⟨q, x⟩ */
  constructor(runtime: Runtime, queries: VectorSource, options: CallOptions<I> & { k: number }, isSquared = false) {
    const { heap, kernels, pool } = runtime;
    this.#runtime = runtime;
    this.#options = options;
    this.#queryCount = queries.rows;
    this.#dimensions = queries.dimensions;
    this.#isSquared = isSquared;
    this.#store = new PanelStore(runtime);
    // A buffer needs a k-th best score, so for k = 0 it keeps one result, which is not returned.
    const k = Math.max(1, options.k);
    this.#queries = heap.allocate(queries.rows * queries.dimensions * 4);
    writeQueries(runtime, queries, 0, queries.rows, this.#queries.offset);
    this.#tiles = heap.allocate(pool.threads * tileBytes(Math.max(1, queries.dimensions)));
    this.#buffers = heap.allocate(queries.rows * bufferBytes(k));
    this.#masks = new Scratch(heap);
    kernels.resetBuffers(this.#buffers.offset, queries.rows, bufferBytes(k), k, bufferCapacity(k));
  }

  /** Candidates seen. */
  get rows(): number {
    return this.#searched + this.#store.rows;
  }

  /** Offer a batch of candidates. */
  add(batch: CandidateBatch<I>): void {
    this.#builder.addBatch(batch);
  }

  /** Offer rows; called by `CandidateBuilder`, which collects their identifiers. */
  append(source: VectorSource): void {
    if (source.rows > 0 && this.rows === 0 && this.#queryCount > 0 && source.dimensions !== this.#dimensions) {
      throw new ShapeError(
        `queries: expected ${source.dimensions} dimensions as the candidates have, got ${this.#dimensions}`,
      );
    }
    for (let begin = 0; begin < source.rows; ) {
      const end = Math.min(source.rows, begin + CHUNK_ROWS - this.#store.rows);
      const from = begin;
      this.#store.append({
        rows: end - begin,
        dimensions: source.dimensions,
        copy: (first, last, to) => source.copy(from + first, from + last, to),
      });
      begin = end;
      if (this.#store.rows === CHUNK_ROWS) this.#flush();
    }
  }

  /** The k best of everything offered. */
  result(): TopKResult<I> {
    if (this.#store.rows > 0) this.#flush();
    const { heap, pool } = this.#runtime;
    const { k } = this.#options;
    const columns = Math.min(k, this.#searched);
    const counts = new Int32Array(this.#queryCount);
    const scores = new Float32Array(this.#queryCount * columns);
    const rows = new Int32Array(this.#queryCount * columns);
    if (columns > 0) {
      const bytes = this.#queryCount * k * 4;
      const out = heap.allocate(2 * bytes + this.#queryCount * 4);
      const { offset } = out;
      const places = [offset, offset + bytes, offset + 2 * bytes] as const;
      pool.run('finishBuffers', this.#queryCount, 16, this.#buffers.offset, bufferBytes(k), 0, 1, k, ...places);
      counts.set(out.integers(this.#queryCount, 2 * bytes));
      for (let b = 0; b < this.#queryCount; b++) {
        scores.set(out.floats(columns, b * k * 4), b * columns);
        rows.set(out.integers(columns, bytes + b * k * 4), b * columns);
      }
      out.free();
    }
    return new TopKResult(columns, counts, scores, rows, this.#builder.identifiers().of);
  }

  /** Give the memory of the call back. */
  free(): void {
    for (const block of [this.#queries, this.#buffers, this.#tiles, this.#masks]) block.free();
    this.#store.free();
  }

  #flush(): void {
    const { pool } = this.#runtime;
    const store = this.#store.finish();
    const identifiers = this.#builder.part(this.#searched, this.#searched + store.rows);
    const mask = RowMask.of(identifiers, this.#queryCount, this.#options);
    const maskBytes = mask ? mask.words * 4 * (mask.isPerQuery ? this.#queryCount : 1) : 0;
    let masksAt = 0;
    if (mask) {
      const words = this.#masks.reserve(maskBytes);
      masksAt = words.offset;
      mask.write(0, this.#queryCount, words.integers(maskBytes / 4));
    }
    const k = Math.max(1, this.#options.k);
    pool.run('searchPanels', Math.ceil(this.#queryCount / QUERY_BLOCK), 1, {
      queries: this.#queries.offset,
      queryCount: this.#queryCount,
      d: this.#dimensions,
      squared: Number(this.#isSquared),
      chunks: store.chunkTable,
      chunkCount: store.chunkCount,
      chunksPerItem: store.chunkCount,
      n: store.rows,
      rowShift: this.#searched,
      mask: masksAt,
      maskStride: mask?.isPerQuery ? mask.words * 4 : 0,
      scratch: this.#tiles.offset,
      scratchStride: tileBytes(this.#dimensions),
      buffers: this.#buffers.offset,
      bufferStride: bufferBytes(k),
      slotStride: 0,
    });
    this.#searched += store.rows;
    store.restart();
  }
}
