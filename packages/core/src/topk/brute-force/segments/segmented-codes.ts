/** Coarse codes of rows in segments: those of each segment are in its memory. */
import { CoarseCodes } from '../coarse-codes.ts';
import type { RowCodes } from '../layout.ts';
import type { SegmentedStore } from './segmented-store.ts';

/** The codes of a finished store; `update` must be called when its rows change. */
export class SegmentedCodes implements RowCodes {
  readonly #store: SegmentedStore;
  readonly #codes: CoarseCodes[] = [];

  private constructor(store: SegmentedStore) {
    this.#store = store;
    try {
      for (const segment of store.segments) this.#codes.push(new CoarseCodes(segment));
    } catch (error) {
      this.free();
      throw error;
    }
  }

  /** The codes of a store; undefined where the memory of a segment cannot hold them. */
  static ofStore(store: SegmentedStore): SegmentedCodes | undefined {
    return store.segments.every(CoarseCodes.fits) ? new SegmentedCodes(store) : undefined;
  }

  /** The codes of a segment; undefined for one that has no rows yet. */
  of(segment: number): CoarseCodes | undefined {
    return this.#codes[segment];
  }

  get sizeBytes(): number {
    return this.#codes.reduce((sum, codes) => sum + codes.sizeBytes, 0);
  }

  update(rows: readonly number[]): void {
    const store = this.#store;
    const { segments, segmentRows } = store;
    const changed: number[][] = segments.map(() => []);
    for (const row of rows) {
      const s = store.segmentOf(row);
      changed[s]!.push(row - s * segmentRows);
    }
    for (const [s, own] of changed.entries()) {
      if (s < this.#codes.length) this.#codes[s]!.update(own);
      else this.#codes.push(new CoarseCodes(segments[s]!));
    }
  }

  free(): void {
    for (const codes of this.#codes) codes.free();
    this.#codes.length = 0;
  }
}
