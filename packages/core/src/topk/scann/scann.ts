/**
 * Approximate top-k over millions of candidates, with partitions, 4-bit product codes and exact reordering.
 *
 * After TFRS's `ScaNN` layer and ScaNN (Guo et al. 2020, arXiv 1908.10396; SOAR, arXiv 2404.00774). Scores are larger
 * for better candidates: ⟨q, x⟩, the cosine, or −|q − x|². Below 640,000 numbers (20,000 candidates of 32 dimensions),
 * or 4,000 candidates, the index scores all candidates exactly and `stats()` has a note of it. Limit: the candidates
 * fit in the linear memory (4 GiB), or with `segments` in several memories, where queries are slower
 * (docs/decisions/segments.md). `index` builds in one memory first, `indexStreamed` does not, and `rebalance` where one memory has room.
 */
import { throwIfAborted } from '../../checks/abort.ts';
import { checkInteger } from '../../checks/numbers.ts';
import { BOOLEAN, optionsCheck } from '../../checks/options.ts';
import { OptionError } from '../../errors/errors.ts';
import { defaultRuntime, type Runtime } from '../../parallel/runtime.ts';
import { Matrix, type VectorsLike } from '../../vectors/matrix.ts';
import type { Reading } from '../access.ts';
import { LONG_CHANGE, withExclusions } from '../call-options.ts';
import type { KeptRows } from '../candidate-vectors.ts';
import type {
  ApproximateTopK,
  CallOptions,
  CandidateDataset,
  DistanceMeasure,
  Exclusions,
  Identifier,
  IndexDrift,
  LongChangeOptions,
  Queries,
  QueryModel,
  RebalancingTopK,
} from '../contract.ts';
import type { Identifiers } from '../identifiers.ts';
import { heldQueries, resolveQueries } from '../queries.ts';
import type { TopKResult } from '../result.ts';
import { UpdatableIndex } from '../updatable-index.ts';
import { type VectorSource, vectorSource } from '../vector-source.ts';
import { type Candidates, gatherCandidates, gatherDataset, takeCandidates } from './build/build-live.ts';
import { askForMemory } from './build/build-memory.ts';
import { type ScannOptions, scannSettings } from './options.ts';
import { type PreparedCall, prepareCall, runCall, runCallAsync, type ScannCallOptions } from './search/call.ts';
import { compileFilter, type GroupFilter } from './search/masks.ts';
import { effortOf } from './search/plan.ts';
import { ScannSearch } from './search/search.ts';
import { type SearchSettings, withSearchSettings } from './search-settings.ts';
import type { ScannSettings } from './settings.ts';
import { type ScannStats, scannStats } from './stats.ts';
import type { LiveIndex } from './update/live-index.ts';
import { ServedIndex } from './update/served-index.ts';

/** The second argument of a call: k, or options. */
export type CallArgument<I extends Identifier> = number | (ScannCallOptions<I> & CallOptions<I>) | ScannCallOptions<I>;

/** Options of `indexAsync`; those of `index` are `transfer` alone. */
export interface IndexingOptions extends LongChangeOptions {
  /**
   * Take over the memory of the candidates instead of copying them, so that they are in memory only once. They must be
   * a `Matrix` of the index's runtime, which is empty afterwards. When the call throws before the first step, the
   * matrix keeps its numbers.
   */
  transfer?: boolean | undefined;
}

const checkTransfer = optionsCheck<Pick<IndexingOptions, 'transfer'>>('ScaNN.index', { transfer: BOOLEAN });
const checkIndexing = optionsCheck<IndexingOptions>('ScaNN.indexAsync', { ...LONG_CHANGE, transfer: BOOLEAN });
const checkRebalancing = optionsCheck<LongChangeOptions>('ScaNN.rebalance', LONG_CHANGE);

/** The approximate index. */
export class ScaNN<Q = ArrayLike<number>, I extends Identifier = Identifier>
  extends UpdatableIndex<I>
  implements
    RebalancingTopK<Q, I, ScannCallOptions<I> & CallOptions<I>>,
    ApproximateTopK<Q, I, ScannCallOptions<I> & CallOptions<I>>
{
  readonly queryModel: QueryModel<Q> | undefined;
  readonly runtime: Runtime;
  protected readonly takesUpdatesInGrowth = false;
  readonly #k: number;
  readonly #search: ScannSearch;
  /** The search of `callAsync`, which needs its own memory: `call` may run while it is under way. */
  #asyncSearch: ScannSearch | undefined;
  readonly #served: ServedIndex<I>;

  /** @throws {OptionError} when an option is out of range or contradicts another */
  constructor(options: ScannOptions<Q> = {}) {
    super();
    const settings = scannSettings(options);
    this.#k = settings.k;
    this.queryModel = options.queryModel;
    this.runtime = options.runtime ?? defaultRuntime();
    this.#search = new ScannSearch(this.runtime);
    this.#served = new ServedIndex(settings, this.runtime, this.access, options.segments);
  }

  /** Results a query gets unless the call says otherwise. */
  get k(): number {
    return this.#k;
  }

  /** The settings. The numbers that a build with `targetRecall` chose replace the given ones. */
  get settings(): ScannSettings {
    return this.#served.settings;
  }

  /**
   * Change the default settings of calls, for example to a point that `tune` chose. The settings are saved with the
   * index. Calls that are under way keep their settings. A setting that is not named keeps its value.
   *
   * @throws {OptionError} when a setting is unknown or out of range
   */
  setSearchSettings(settings: SearchSettings): this {
    this.#served.setSearchSettings(withSearchSettings(this.settings, settings));
    return this;
  }

  /** The formula of a score. */
  get distanceMeasure(): DistanceMeasure {
    return this.settings.distanceMeasure;
  }

  /** The candidates as they are kept: rounded where `reorder` is 'bfloat16' or 'int8'. @throws {StateError} before `index` */
  keptRows(): KeptRows<I> {
    return this.#served.get();
  }

  /** Candidates: rows indexed, and upserted, less those deleted. */
  get size(): number {
    return this.#served.live?.size ?? 0;
  }

  /** Width of a candidate; 0 before `index`. */
  get dimensions(): number {
    return this.#served.live?.leaves.shape.dimensions ?? 0;
  }

  /** The identifiers of the rows; undefined before `index`. */
  get identifiers(): Identifiers<I> | undefined {
    return this.#served.live?.identifiers;
  }

  /** Bytes of the index. */
  get sizeBytes(): number {
    return this.#served.live?.leaves.sizeBytes ?? 0;
  }

  /** Always false, also for a small index, which scores every candidate: callers should not depend on that. */
  isExact(): boolean {
    return false;
  }

  /**
   * Check that the linear memory, as it is used now, has room for a build of `rows` candidates, for example before they
   * are read from a file.
   *
   * @throws {OptionError} when a number is not a positive integer
   * @throws {MemoryError} naming rows, dimensions, the bytes needed and in use, and what would fit
   */
  checkMemory(rows: number, dimensions: number): void {
    checkInteger('rows', rows, 1);
    checkInteger('dimensions', dimensions, 1);
    askForMemory(this.runtime, rows, dimensions, this.settings);
  }

  /**
   * Replace the candidates by a copy of `candidates` [rows, d]; without identifiers they are row numbers. The build
   * checks that it has the memory it needs before it copies anything. When this throws, the index is as before.
   *
   * @param options transfer: take the memory of the matrix `candidates` over instead of copying it
   * @throws {ShapeError} when rows differ in width or identifiers in number
   * @throws {NotFiniteError} naming row and column of a NaN or an infinity
   * @throws {IdentifierError} when identifiers are not all strings, all numbers or all bigints
   * @throws {MemoryError} when the linear memory cannot hold index and candidates
   * @throws {StateError} while the candidates are read or replaced: `indexAsync` waits
   */
  index(candidates: VectorsLike, identifiers?: readonly I[], options: Pick<IndexingOptions, 'transfer'> = {}): this {
    const { transfer } = checkTransfer(options);
    this.access.checkChange('index', 'indexAsync');
    this.#served.index(this.#gather(candidates, identifiers, transfer));
    return this;
  }

  /**
   * `index` in steps, when the reads and changes before it have ended. The candidates are copied at the call. Reads may run
   * between the steps; until the last step they see the old candidates.
   *
   * @throws as `index`; AbortedError when the signal is raised, and the index is as before
   */
  async indexAsync(candidates: VectorsLike, identifiers?: readonly I[], options: IndexingOptions = {}): Promise<this> {
    const checked = checkIndexing(options);
    throwIfAborted('index', checked.signal);
    const gathered = this.#gather(candidates, identifiers, checked.transfer);
    await this.#served.replace('indexAsync', checked, async () => gathered);
    return this;
  }

  #gather(candidates: VectorsLike, identifiers: readonly I[] | undefined, transfer = false): Candidates<I> {
    const { settings, runtime } = this;
    if (!transfer) return gatherCandidates(vectorSource('candidates', candidates), identifiers, settings, runtime);
    if (!(candidates instanceof Matrix) || candidates.runtime !== runtime) {
      throw new OptionError(
        "transfer: expected candidates in a Matrix of the index's runtime, got another kind of vectors or runtime",
      );
    }
    return takeCandidates(candidates, identifiers, settings, runtime);
  }

  /** Replace the candidates by those of a data set, read once, batch by batch. Throws as `index`. */
  async indexFromDataset(dataset: CandidateDataset<I>): Promise<this> {
    await this.#served.replace('indexFromDataset', {}, () => gatherDataset(dataset, this.settings, this.runtime));
    return this;
  }

  /**
   * The k best candidates of each query among the leaves searched; fewer where fewer exist or are allowed.
   *
   * @throws {StateError} before `index`
   * @throws {ShapeError} when queries are not as wide as the candidates, or exclusions not one list per query
   * @throws {NotFiniteError} when a query is NaN or infinite
   */
  call(queries: Queries<Q>, k?: CallArgument<I>): TopKResult<I> {
    const source = resolveQueries(queries, this.queryModel, this.#served.get().leaves.shape.dimensions);
    return runCall(this.#prepare(source, k, this.#search), this.#search);
  }

  /**
   * `call` on the worker threads; the caller's thread is free meanwhile. Calls run one after the other. Rejects with what
   * `call` throws. Until it resolves, asynchronous changes of the candidates wait and synchronous ones throw a StateError.
   */
  async callAsync(queries: Queries<Q>, k?: CallArgument<I>, within?: Reading): Promise<TopKResult<I>> {
    this.#served.get();
    const source = heldQueries(queries, this.queryModel);
    const search = async (): Promise<TopKResult<I>> => {
      this.#asyncSearch ??= new ScannSearch(this.runtime);
      return runCallAsync(this.#prepare(source, k, this.#asyncSearch), this.#asyncSearch);
    };
    return this.access.search('callAsync', search, within);
  }

  #prepare(source: VectorSource, k: CallArgument<I> | undefined, search: ScannSearch): PreparedCall<I> {
    return prepareCall(this, this.#served.get(), search, source, k);
  }

  /**
   * The leaves searched and candidates reordered by a call for k results that sets neither. Filters and deletions,
   * which raise the number of leaves, are not considered. Both are 0 for an index without leaves.
   *
   * @throws {StateError} before `index`
   */
  effort(k: number = this.k): { leavesToSearch: number; reorder: number } {
    const { leaves, size } = this.#served.get();
    if (leaves.shape.leaves === 0) return { leavesToSearch: 0, reorder: 0 };
    const { leaves: count, reorder } = effortOf(this.settings, leaves.shape, size, k, {});
    return { leavesToSearch: Math.min(leaves.shape.leaves, count), reorder };
  }

  /** `call` with every candidate scored exactly from its row, in the precision in which the index keeps rows. */
  callExactly(queries: Queries<Q>, k: number = this.k): TopKResult<I> {
    return this.call(queries, { k, exact: true });
  }

  /** `call` with `exclude`: one list per query, or one for all. */
  queryWithExclusions(
    queries: Queries<Q>,
    exclusions: Exclusions<I>,
    k?: number | (ScannCallOptions<I> & CallOptions<I>),
  ): TopKResult<I> {
    return this.call(queries, withExclusions(exclusions, k));
  }

  /**
   * A filter compiled for many calls; free it after the last. It is valid until the candidates change: a later call with it
   * throws a StateError.
   *
   * @throws {StateError} before `index`
   */
  compileFilter(filter: CallOptions<I>['filter']): GroupFilter {
    const live = this.#served.get();
    return compileFilter(live.leaves, live.identifiers, { filter: filter ?? (() => true) }, () => live.slots)!;
  }

  /**
   * Candidates that can be upserted before `reserve` copies anything: an upper bound, as new groups of leaves may stay
   * partly empty.
   */
  get room(): number {
    return this.#served.live?.roomPoints ?? 0;
  }

  protected growth(candidates: number): Generator<void, void> {
    return this.#served.growth(candidates);
  }

  /**
   * Build the tables from identifiers to candidates, which the first update, exclusion or include list would wait for, in
   * short steps with the event loop between them. Queries and updates may run between the steps.
   */
  async prepareLookups(): Promise<void> {
    return this.#served.prepareLookups();
  }

  /** The changes of the candidates since the index was built. */
  drift(): IndexDrift {
    return this.#served.get().drift();
  }

  /**
   * Rebuild the index from its present candidates while queries and updates go on. The updates made meanwhile are applied to
   * the new index, which then replaces the old one. Where candidates were deleted, rows get new numbers.
   *
   * @throws {StateError} before `index`, or when `index` or `free` removes the candidates meanwhile
   * @throws {AbortedError} when the signal is raised
   * @throws {MemoryError} when the linear memory cannot hold both indexes; those in segments are then rebuilt segment by segment
   * from a sample, as by `indexStreamed`. After any error the old index stays, with all updates
   */
  async rebalance(options: LongChangeOptions = {}): Promise<this> {
    await this.#served.rebalance(checkRebalancing(options));
    return this;
  }

  /** Always undefined: `save` writes all rows, and marks the deleted ones. */
  savedRows(): undefined {
    return undefined;
  }

  /** The parts of the index as bytes, by name: views that are valid until the candidates change. */
  parts(): Record<string, Uint8Array> {
    return this.#served.live?.leaves.bytes() ?? {};
  }

  /** Sizes, settings and notes of the index. */
  stats(): ScannStats {
    const { live } = this.#served;
    return scannStats(this.settings, live?.leaves, this.size, live?.calibration);
  }

  /**
   * The index as it is served now; `saveScann` writes it.
   *
   * @throws {StateError} before `index`
   * @internal
   */
  get live(): LiveIndex<I> {
    return this.#served.get();
  }

  /** Serve an index that was loaded. @internal */
  restore(live: LiveIndex<I>): void {
    this.#served.set(live);
  }

  /** Serve the index that `build` makes with these settings, when the reads and changes before it have ended. @internal */
  replaceBuilt(
    verb: string,
    signal: AbortSignal | undefined,
    build: (settings: ScannSettings) => Promise<LiveIndex<I>>,
  ): Promise<void> {
    return this.#served.replaceBuilt(verb, signal, build);
  }

  protected release(): void {
    this.#served.set(undefined);
    this.#search.free();
    this.#asyncSearch?.free();
  }

  protected applyUpsert(identifiers: readonly I[], source: VectorSource): void {
    this.#served.upsert(identifiers, source);
  }

  protected applyDelete(identifiers: readonly I[]): number {
    return this.#served.delete(identifiers);
  }

  protected applyReserve(candidates: number): void {
    this.#served.reserve(candidates);
  }
}
