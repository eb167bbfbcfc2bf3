/**
 * The exact search over rows in segments: the best rows of each segment, merged as soon as they are found, so that the
 * memory of a call does not grow with the segments.
 */
import type { QueryMasks } from '../../row-mask.ts';
import { maskWords } from '../../row-mask.ts';
import type { VectorSource } from '../../vector-source.ts';
import type { RowSearch } from '../layout.ts';
import { type Best, emptyBest, PanelSearch } from '../panel-search.ts';
import type { SegmentedCodes } from './segmented-codes.ts';
import type { SegmentedStore } from './segmented-store.ts';

/** The search of one segment. */
interface SegmentSearch {
  search: PanelSearch;
  given: Parameters<PanelSearch['run']>;
  /** The number of its first row, and the results of a query. */
  firstRow: number;
  k: number;
}

/** Searches one store after another; the scratch in the memories of a store is kept until the next store. */
export class SegmentedRowSearch implements RowSearch {
  #searches: PanelSearch[] = [];

  run(
    store: SegmentedStore,
    queries: VectorSource,
    k: number,
    mask: QueryMasks | undefined,
    codes?: SegmentedCodes,
  ): Best {
    let best = emptyBest(queries.rows, k);
    for (const each of this.#segmentSearches(store, queries, k, mask, codes)) {
      best = mergeBest(best, k, each.search.run(...each.given), each);
    }
    return best;
  }

  async runAsync(
    store: SegmentedStore,
    queries: VectorSource,
    k: number,
    mask: QueryMasks | undefined,
    codes?: SegmentedCodes,
  ): Promise<Best> {
    let best = emptyBest(queries.rows, k);
    for (const each of this.#segmentSearches(store, queries, k, mask, codes)) {
      best = mergeBest(best, k, await each.search.runAsync(...each.given), each);
    }
    return best;
  }

  free(): void {
    for (const search of this.#searches) search.free();
    this.#searches = [];
  }

  #segmentSearches(
    { segments, segmentRows }: SegmentedStore,
    queries: VectorSource,
    k: number,
    mask: QueryMasks | undefined,
    codes: SegmentedCodes | undefined,
  ): SegmentSearch[] {
    if (k === 0) return [];
    this.#use(segments);
    const shared = mask && !mask.isPerQuery ? new Int32Array(mask.words) : undefined;
    if (shared) mask!.write(0, 1, shared);
    return segments.flatMap((segment, s) => {
      const own = Math.min(k, segment.rows);
      const firstRow = s * segmentRows;
      const masks = mask && new SegmentMasks(mask, shared, firstRow, segment.rows);
      const search = this.#searches[s]!;
      return own > 0 ? [{ search, given: [segment, queries, own, masks, codes?.of(s)], firstRow, k: own }] : [];
    });
  }

  /** Have a search in the memory of each segment. */
  #use(segments: SegmentedStore['segments']): void {
    const isOther = this.#searches.some(({ runtime }, s) => runtime !== segments[s]?.runtime);
    if (isOther) this.free();
    for (const { runtime } of segments.slice(this.#searches.length)) this.#searches.push(new PanelSearch(runtime));
  }
}

/** The masks of the rows of one segment. */
class SegmentMasks implements QueryMasks {
  readonly words: number;
  readonly #all: QueryMasks;
  readonly #shared: Int32Array | undefined;
  readonly #firstWord: number;

  /** @param shared the mask over all rows, if all queries have the same */
  constructor(all: QueryMasks, shared: Int32Array | undefined, firstRow: number, rows: number) {
    this.#all = all;
    this.#shared = shared;
    this.#firstWord = firstRow / 32;
    this.words = maskWords(rows);
  }

  get isPerQuery(): boolean {
    return this.#all.isPerQuery;
  }

  write(begin: number, end: number, to: Int32Array): void {
    const all = this.#shared ?? new Int32Array(this.#all.words);
    const own = all.subarray(this.#firstWord, this.#firstWord + this.words);
    if (this.#shared) {
      to.set(own);
      return;
    }
    for (let query = begin; query < end; query++) {
      this.#all.write(query, query + 1, all);
      to.set(own, (query - begin) * this.words);
    }
  }
}

/** The k best rows of those of earlier segments and those of a later one, whose rows come after the others of its score. */
function mergeBest(best: Best, k: number, found: Best, { firstRow, k: foundK }: SegmentSearch): Best {
  const queries = best.counts.length;
  const merged = emptyBest(queries, k);
  for (let query = 0; query < queries; query++) {
    let [a, b] = [query * k, query * foundK];
    const [aEnd, bEnd] = [a + best.counts[query]!, b + found.counts[query]!];
    const count = Math.min(k, aEnd - a + bEnd - b);
    for (let to = query * k; to < query * k + count; to++) {
      const isEarlier = b === bEnd || (a < aEnd && best.scores[a]! >= found.scores[b]!);
      merged.scores[to] = isEarlier ? best.scores[a]! : found.scores[b]!;
      merged.rows[to] = isEarlier ? best.rows[a++]! : firstRow + found.rows[b++]!;
    }
    merged.counts[query] = count;
  }
  return merged;
}
