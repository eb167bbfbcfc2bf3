/**
 * Exact top-k over candidates held in memory: every candidate is scored for every query.
 *
 * After TFRS's `BruteForce` (layers/factorized_top_k.py). Score = Σ_t q_t · c_t in float32, summed in the order of t
 * for any batch, any number of threads and any `segments`, so a query has the same bits alone and in a batch. Limit: the
 * candidates fit in the linear memory (4 GiB), or with `segments` in 64 of them.
 */
import { throwIfAborted } from '../../checks/abort.ts';
import { checkInteger } from '../../checks/numbers.ts';
import { BOOLEAN, objectWith, optionsCheck } from '../../checks/options.ts';
import { defaultRuntime, RUNTIME, type Runtime } from '../../parallel/runtime.ts';
import { finishAsync } from '../../parallel/steps.ts';
import type { VectorsLike } from '../../vectors/matrix.ts';
import type { Reading } from '../access.ts';
import { CALL, callOptions, LONG_CHANGE, notIndexed, TOP_K, withExclusions } from '../call-options.ts';
import { readCandidates, readDataset } from '../candidate-builder.ts';
import type { KeptRows } from '../candidate-vectors.ts';
import type {
  CallOptions,
  CandidateDataset,
  Exclusions,
  Identifier,
  LongChangeOptions,
  Queries,
  QueryModel,
  TopKOptions,
  UpdatableTopK,
} from '../contract.ts';
import type { Identifiers } from '../identifiers.ts';
import { checkWidth, heldQueries, resolveQueries } from '../queries.ts';
import { TopKResult } from '../result.ts';
import { RowMask } from '../row-mask.ts';
import type { Segments } from '../scann/segments/segments.ts';
import { UpdatableIndex } from '../updatable-index.ts';
import { type VectorSource, vectorSource } from '../vector-source.ts';
import { HeldCandidates } from './held-candidates.ts';
import { type Layout, oneMemory, type RowSearch } from './layout.ts';
import type { Best } from './panel-search.ts';

/** Options of `BruteForce`. */
export interface BruteForceOptions<Q> extends TopKOptions<Q> {
  /**
   * Keep coarse codes of many candidates (28 % more memory), made at the first call of one to three queries. They make
   * such calls 2.5 times as fast; the results have the same bits. Default true.
   */
  coarseCodes?: boolean;
  /**
   * Keep the candidates in several linear memories: `segmentsOf(bytes)`, with `bytes` of candidates in each; the last of 64
   * has all that are left. The results have the same bits. Default: one memory, which can have 4 GiB.
   */
  segments?: Segments;
  /** The runtime that holds the candidates and runs the kernels; default the shared one. */
  runtime?: Runtime;
}

const checkOptions = optionsCheck<BruteForceOptions<never>>('BruteForce', {
  ...TOP_K,
  coarseCodes: BOOLEAN,
  segments: objectWith('segmentsOf(bytes)', 'exact'),
  runtime: RUNTIME,
});
const checkCall = optionsCheck<CallOptions<never>>('a call of BruteForce', CALL);
const checkIndexing = optionsCheck<LongChangeOptions>('BruteForce.indexAsync', LONG_CHANGE);

/** A call whose arguments were checked, ready to be searched. */
interface PreparedCall<I extends Identifier> {
  columns: number;
  given: Parameters<RowSearch['run']>;
  result: (columns: number, best: Best) => TopKResult<I>;
}

/** The exact index. */
export class BruteForce<Q = ArrayLike<number>, I extends Identifier = Identifier>
  extends UpdatableIndex<I>
  implements UpdatableTopK<Q, I>
{
  readonly k: number;
  readonly distanceMeasure = 'dot_product';
  readonly queryModel: QueryModel<Q> | undefined;
  readonly runtime: Runtime;
  protected readonly takesUpdatesInGrowth = true;
  readonly #layout: Layout;
  readonly #search: RowSearch;
  /** The search of `callAsync`, which needs its own memory: `call` may run while it is under way. */
  #asyncSearch: RowSearch | undefined;
  readonly #useCoarse: boolean;
  #held: HeldCandidates<I> | undefined;

  /** @throws {OptionError} when an option is unknown, or k is not an integer of at least 1 */
  constructor(options: BruteForceOptions<Q> = {}) {
    super();
    const { queryModel, k = 10, coarseCodes = true, segments, runtime = defaultRuntime() } = checkOptions(options);
    this.k = checkInteger('k', k, 1);
    this.queryModel = queryModel;
    this.#useCoarse = coarseCodes;
    this.runtime = runtime;
    this.#layout = segments?.exact ?? oneMemory;
    this.#search = this.#layout.search(runtime);
  }

  /** Candidates: rows indexed, and upserted, less those deleted. */
  get size(): number {
    return this.#held?.size ?? 0;
  }

  /** Width of a candidate; 0 before `index`. */
  get dimensions(): number {
    return this.#held?.store.dimensions ?? 0;
  }

  /** The identifiers of the rows, deleted ones among them; undefined before `index`. */
  get identifiers(): Identifiers<I> | undefined {
    return this.#held?.identifiers;
  }

  /** Bytes of the packed candidates and, once they are there, of their coarse codes. */
  get sizeBytes(): number {
    return this.#held?.sizeBytes ?? 0;
  }

  /** Candidates that can be upserted before `reserve` copies anything. */
  get room(): number {
    return this.#held?.room ?? 0;
  }

  /** The candidates as they are kept. @throws {StateError} before `index` */
  keptRows(): KeptRows<I> {
    return this.#served();
  }

  /** Always true. */
  isExact(): boolean {
    return true;
  }

  /**
   * Replace the candidates by a copy of `candidates` [rows, d]; without identifiers they are row numbers. When this
   * throws, the index is as before.
   *
   * @throws {ShapeError} when rows differ in width or identifiers in number
   * @throws {NotFiniteError} naming row and column of a NaN or an infinity
   * @throws {IdentifierError} when identifiers are not all strings, all numbers or all bigints
   * @throws {MemoryError} when the linear memory cannot hold the candidates: before any is copied
   * @throws {StateError} while the candidates are read or replaced: `indexAsync` waits
   */
  index(candidates: VectorsLike, identifiers?: readonly I[]): this {
    this.access.checkChange('index', 'indexAsync');
    this.#take(this.#packed(candidates, identifiers));
    return this;
  }

  /** `index` when the reads and changes before it have ended; the candidates are copied at the call. */
  async indexAsync(
    candidates: VectorsLike,
    identifiers?: readonly I[],
    options: LongChangeOptions = {},
  ): Promise<this> {
    const { signal, onProgress } = checkIndexing(options);
    throwIfAborted('index', signal);
    const held = this.#packed(candidates, identifiers);
    await this.#replace('indexAsync', () => held, { signal });
    onProgress?.({ step: 'pack', done: 1, total: 1 });
    return this;
  }

  /**
   * Replace the candidates by those of a data set, packed as they come.
   *
   * @throws as `index`; OptionError when only some batches have identifiers
   */
  async indexFromDataset(dataset: CandidateDataset<I>): Promise<this> {
    let held: HeldCandidates<I> | undefined;
    const prepare = async (): Promise<void> => {
      const store = this.#layout.store(this.runtime);
      try {
        const identifiers = await readDataset(dataset, store);
        held = new HeldCandidates(store.finish(), identifiers, this.#layout);
      } catch (error) {
        store.free();
        throw error;
      }
    };
    await this.#replace('indexFromDataset', () => held!, { prepare });
    return this;
  }

  /**
   * The k best candidates of each query; fewer where fewer exist or are allowed.
   *
   * @throws {StateError} before `index`
   * @throws {ShapeError} when queries are not as wide as the candidates, or exclusions not one list per query
   * @throws {NotFiniteError} when a query is NaN or infinite
   */
  call(queries: Queries<Q>, k?: number | CallOptions<I>): TopKResult<I> {
    const { dimensions } = this.#served().store;
    const { columns, result, given } = this.#prepare(resolveQueries(queries, this.queryModel, dimensions), k);
    return result(columns, this.#search.run(...given));
  }

  /**
   * `call` on the worker threads; the caller's thread is free meanwhile. Calls run one after the other. Rejects with what
   * `call` throws. Until it resolves, asynchronous changes of the candidates wait and synchronous ones throw a StateError.
   */
  async callAsync(queries: Queries<Q>, k?: number | CallOptions<I>, within?: Reading): Promise<TopKResult<I>> {
    this.#served();
    const source = heldQueries(queries, this.queryModel);
    const search = async (): Promise<TopKResult<I>> => {
      this.#asyncSearch ??= this.#layout.search(this.runtime);
      const { columns, result, given } = this.#prepare(source, k);
      return result(columns, await this.#asyncSearch.runAsync(...given));
    };
    return this.access.search('callAsync', search, within);
  }

  /** Check the arguments of a call. */
  #prepare(source: VectorSource, k: number | CallOptions<I> | undefined): PreparedCall<I> {
    const held = this.#served();
    const { store, identifiers } = held;
    checkWidth(source, store.dimensions);
    const options = callOptions<I, CallOptions<I>>(k, this.k, checkCall);
    const columns = Math.min(options.k, held.size);
    const mask = RowMask.of(identifiers, source.rows, options, held.liveWords);
    const coarse = this.#useCoarse ? held.coarseFor(source.rows) : undefined;
    return {
      columns,
      given: [store, source, columns, mask, coarse],
      result: (columns, { counts, scores, rows }) => new TopKResult(columns, counts, scores, rows, identifiers.of),
    };
  }

  /** `call` with `exclude`: one list per query, or one for all. */
  queryWithExclusions(queries: Queries<Q>, exclusions: Exclusions<I>, k?: number | CallOptions<I>): TopKResult<I> {
    return this.call(queries, withExclusions(exclusions, k));
  }

  protected applyDelete(identifiers: readonly I[]): number {
    return this.#served().delete(identifiers);
  }

  protected applyReserve(candidates: number): void {
    this.#served().reserve(candidates);
  }

  protected *growth(candidates: number): Generator<void, void> {
    const held = this.#served();
    const steps = held.growth(candidates);
    // When other candidates have replaced these, the room is no longer needed.
    while (this.#held === held && !steps.next().done) yield;
  }

  /**
   * Build the tables from identifiers to candidates, which the first update, exclusion or include list would wait for, in
   * short steps with the event loop between them.
   */
  async prepareLookups(): Promise<void> {
    if (this.#held) await finishAsync(this.#held.identifiers.preparation());
  }

  /** The rows that `save` writes, in order: all but the deleted ones; undefined where no row is deleted. */
  savedRows(): Int32Array | undefined {
    return this.#served().liveRows;
  }

  /**
   * The candidates as they are served now; `saveBruteForce` writes them.
   *
   * @throws {StateError} before `index`
   * @internal
   */
  get held(): HeldCandidates<I> {
    return this.#served();
  }

  /** Serve candidates that were loaded. @internal */
  restore(held: HeldCandidates<I>): void {
    this.#held = held;
  }

  protected release(): void {
    this.#take(undefined);
    this.#search.free();
    this.#asyncSearch?.free();
  }

  protected applyUpsert(identifiers: readonly I[], source: VectorSource): void {
    const held = this.#served();
    // An empty index has no width: upserting sets its first candidates.
    if (held.store.dimensions === 0) this.#take(this.#packed(source, identifiers));
    else held.upsert(identifiers, source);
  }

  #served(): HeldCandidates<I> {
    if (!this.#held) throw notIndexed();
    return this.#held;
  }

  #packed(candidates: VectorsLike | VectorSource, identifiers: readonly I[] | undefined): HeldCandidates<I> {
    const isSource = typeof candidates === 'object' && candidates !== null && 'copy' in candidates;
    const source = isSource ? candidates : vectorSource('candidates', candidates);
    const store = this.#layout.store(this.runtime);
    try {
      const checked = readCandidates(source, identifiers, store);
      return new HeldCandidates(store.finish(), checked, this.#layout);
    } catch (error) {
      store.free();
      throw error;
    }
  }

  /**
   * Replace the candidates when the reads and changes before it have ended. After an error the new candidates are
   * freed.
   */
  async #replace(
    verb: string,
    held: () => HeldCandidates<I> | undefined,
    options: { prepare?: () => Promise<void>; signal?: AbortSignal | undefined },
  ): Promise<void> {
    try {
      await this.access.changeInSteps(verb, { begin: () => this.#taking(held), replaces: true, ...options });
    } catch (error) {
      held()?.free();
      throw error;
    }
  }

  // biome-ignore lint/correctness/useYield: a change of one step
  *#taking(held: () => HeldCandidates<I> | undefined): Generator<never, void> {
    this.#take(held());
  }

  #take(held: HeldCandidates<I> | undefined): void {
    this.#held?.free();
    this.#held = held;
  }
}
