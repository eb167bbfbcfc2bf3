/**
 * The rows of an exact index in several memories. Segment s has the rows from s · segmentRows on, in a memory of its own;
 * only the last segment has fewer rows than the others, or more where there are SEGMENTS_MAX segments.
 *
 * The score of a row does not depend on the rows beside it, so the results have the bits of one memory
 * (docs/decisions/segments.md).
 */
import { SEGMENTS_MAX } from '../../../format/layout.ts';
import type { Pool } from '../../../parallel/pool.ts';
import { Runtime } from '../../../parallel/runtime.ts';
import { MASK_ROWS } from '../../row-mask.ts';
import type { VectorSource } from '../../vector-source.ts';
import type { RowStore } from '../layout.ts';
import { PanelStore } from '../panel-store.ts';

/** The memories of a store that is garbage collected leave the team, which would otherwise keep them alive. */
const collected = new FinalizationRegistry<readonly Pool[]>(leave);

function leave(pools: readonly Pool[]): void {
  for (const pool of pools) pool.leave();
}

/** Rows of a segment of `segmentBytes`: the masks of a segment are whole registers of the masks of all rows. */
export function rowsOfSegment(segmentBytes: number, dimensions: number): number {
  return Math.max(1, Math.floor(segmentBytes / (4 * dimensions * MASK_ROWS))) * MASK_ROWS;
}

/** Rows in segments. */
export class SegmentedStore implements RowStore {
  readonly segmentBytes: number;
  readonly #runtime: Runtime;
  readonly #segments: PanelStore[];
  readonly #pools: Pool[];

  /** @param segments finished stores, each in a memory of its own; all but the last hold `rowsOfSegment` rows */
  constructor(runtime: Runtime, segmentBytes: number, segments: readonly PanelStore[] = []) {
    this.#runtime = runtime;
    this.segmentBytes = segmentBytes;
    this.#segments = [...segments];
    this.#pools = segments.map((segment) => segment.runtime.pool);
    collected.register(this, this.#pools, this);
  }

  /** The segments, in the order of their rows. */
  get segments(): readonly PanelStore[] {
    return this.#segments;
  }

  get rows(): number {
    return this.#segments.reduce((sum, { rows }) => sum + rows, 0);
  }

  get dimensions(): number {
    return this.#segments[0]?.dimensions ?? 0;
  }

  /** Rows of a segment, if there are more behind it. */
  get segmentRows(): number {
    return rowsOfSegment(this.segmentBytes, this.dimensions);
  }

  get capacity(): number {
    return this.#segments.reduce((sum, { capacity }, s) => sum + Math.min(capacity, this.#rowsMax(s)), 0);
  }

  get sizeBytes(): number {
    return this.#segments.reduce((sum, segment) => sum + segment.sizeBytes, 0);
  }

  append(source: VectorSource): this {
    for (let begin = 0; begin < source.rows; ) {
      const last = this.#segments.at(-1);
      const isFull = last && last.rows >= this.#rowsMax(this.#segments.length - 1);
      if (isFull) last.finish();
      const segment = last && !isFull ? last : this.#add();
      const end = Math.min(source.rows, begin + this.#rowsMax(this.#segments.length - 1, source) - segment.rows);
      segment.append(part(source, begin, end));
      begin = end;
    }
    return this;
  }

  finish(): this {
    this.#segments.at(-1)?.finish();
    return this;
  }

  *growth(rows: number): Generator<void, void> {
    if (this.dimensions === 0) return;
    for (let s = Math.max(0, this.#segments.length - 1); ; s++) {
      const segment = this.#segments[s] ?? this.#add().finish();
      const first = s * this.segmentRows;
      const own = Math.min(this.#rowsMax(s), rows - first);
      yield* segment.growth(own);
      if (first + own >= rows) return;
    }
  }

  put(row: number, values: Float32Array, begin: number): void {
    const s = this.segmentOf(row);
    this.#segments[s]!.put(row - s * this.segmentRows, values, begin);
  }

  reader(): (row: number, to: Float32Array) => void {
    const readers = this.#segments.map((segment) => segment.reader());
    const { segmentRows } = this;
    return (row, to) => {
      const s = this.segmentOf(row);
      readers[s]!(row - s * segmentRows, to);
    };
  }

  /** The number of the segment that has a row. */
  segmentOf(row: number): number {
    return Math.min(SEGMENTS_MAX - 1, Math.floor(row / this.segmentRows));
  }

  /** Give everything back. */
  free(): void {
    collected.unregister(this);
    for (const segment of this.#segments) segment.free();
    leave(this.#pools);
    this.#segments.length = this.#pools.length = 0;
  }

  /** The most rows of a segment. */
  #rowsMax(segment: number, { dimensions } = { dimensions: this.dimensions }): number {
    return segment === SEGMENTS_MAX - 1 ? Infinity : rowsOfSegment(this.segmentBytes, dimensions);
  }

  #add(): PanelStore {
    const runtime = new Runtime({}, this.#runtime);
    const segment = new PanelStore(runtime, 'candidates', { firstRow: this.rows, dimensions: this.dimensions });
    this.#pools.push(runtime.pool);
    this.#segments.push(segment);
    return segment;
  }
}

/** Rows [begin, end) of a source. */
function part(source: VectorSource, begin: number, end: number): VectorSource {
  const { dimensions } = source;
  return {
    rows: end - begin,
    dimensions,
    copy: (first, last, to) => source.copy(begin + first, begin + last, to),
  };
}
