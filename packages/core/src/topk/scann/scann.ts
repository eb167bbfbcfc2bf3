/**
 * Approximate top-k over millions of candidates: partitions, 4-bit product codes, exact reordering.
 *
 * After TFRS's `ScaNN` layer and ScaNN (Guo et al. 2020, arXiv 1908.10396; SOAR, arXiv 2404.00774). Scores are larger for
 * better candidates: ⟨q, x⟩, the cosine, or −|q − x|². Below about 20,000 candidates the index scores all of them exactly
 * and says so in `stats()`. Limit: the candidates fit in the linear memory (4 GiB).
 */
import { throwIfAborted } from '../../checks/abort.ts';
import { optionsCheck } from '../../checks/options.ts';
import type { Progress } from '../../clustering/k-means.ts';
import { StateError } from '../../errors/errors.ts';
import type { Part } from '../../format/part.ts';
import type { Saved } from '../../format/saved.ts';
import { defaultRuntime, type Runtime } from '../../parallel/runtime.ts';
import { nextTurn } from '../../parallel/steps.ts';
import type { VectorsLike } from '../../vectors/matrix.ts';
import type { Reading } from '../access.ts';
import { LONG_CHANGE, notIndexed, withExclusions } from '../call-options.ts';
import { readDataset } from '../candidate-builder.ts';
import type {
  ApproximateTopK,
  CallOptions,
  CandidateDataset,
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
import { copied, type VectorSource, vectorSource } from '../vector-source.ts';
import { buildLive, type Candidates, gatherCandidates } from './build/build-live.ts';
import { RowBuffer } from './build/row-buffer.ts';
import { type ScannOptions, type ScannSettings, scannSettings } from './options.ts';
import { loadScann, saveScann } from './saved.ts';
import { type PreparedCall, prepareCall, type ScannCallOptions } from './search/call.ts';
import { compileFilter, type GroupFilter } from './search/masks.ts';
import { ScannSearch } from './search/search.ts';
import { type ScannStats, scannStats } from './stats.ts';
import { KeptUpdates } from './update/kept-updates.ts';
import { LiveIndex } from './update/live-index.ts';
import { rebalanced } from './update/rebalance.ts';

/** What a call may be told. */
type CallArgument<I extends Identifier> = number | (ScannCallOptions<I> & CallOptions<I>) | ScannCallOptions<I>;

const checkIndexing = optionsCheck<LongChangeOptions>('ScaNN.indexAsync', LONG_CHANGE);
const checkRebalancing = optionsCheck<LongChangeOptions>('ScaNN.rebalance', LONG_CHANGE);

/** The approximate index. */
export class ScaNN<Q = ArrayLike<number>, I extends Identifier = Identifier>
  extends UpdatableIndex<I>
  implements
    RebalancingTopK<Q, I, ScannCallOptions<I> & CallOptions<I>>,
    ApproximateTopK<Q, I, ScannCallOptions<I> & CallOptions<I>>
{
  readonly settings: ScannSettings;
  readonly queryModel: QueryModel<Q> | undefined;
  readonly runtime: Runtime;
  protected readonly takesUpdatesInGrowth = false;
  readonly #search: ScannSearch;
  /** Of `callAsync`: `call` may be asked while it is under way. */
  #asyncSearch: ScannSearch | undefined;
  #live: LiveIndex<I> | undefined;
  /** Updates made while a rebalance is under way. */
  #kept: KeptUpdates<I> | undefined;

  /** @throws {OptionError} when an option is out of range or contradicts another */
  constructor(options: ScannOptions<Q> = {}) {
    super();
    this.settings = scannSettings(options);
    this.queryModel = options.queryModel;
    this.runtime = options.runtime ?? defaultRuntime();
    this.#search = new ScannSearch(this.runtime);
  }

  /** Results a query gets unless the call says otherwise. */
  get k(): number {
    return this.settings.k;
  }

  /** Candidates: rows indexed, and upserted, less those deleted. */
  get size(): number {
    return this.#live?.size ?? 0;
  }

  /** Width of a candidate; 0 before `index`. */
  get dimensions(): number {
    return this.#live?.leaves.shape.dimensions ?? 0;
  }

  /** The identifiers of the rows; undefined before `index`. */
  get identifiers(): Identifiers<I> | undefined {
    return this.#live?.identifiers;
  }

  /** Bytes of the index. */
  get sizeBytes(): number {
    return this.#live?.leaves.sizeBytes ?? 0;
  }

  /** Always false: also where a small index scores everything, so that callers do not depend on it. */
  isExact(): boolean {
    return false;
  }

  /**
   * Replace the candidates by a copy of `candidates` [rows, d]; without identifiers they are row numbers. When this
   * throws, the index is as before.
   *
   * @throws {ShapeError} when rows differ in width or identifiers in number
   * @throws {NotFiniteError} naming row and column of a NaN or an infinity
   * @throws {IdentifierError} when identifiers are not all strings, all numbers or all bigints
   * @throws {MemoryError} when the linear memory cannot hold index and candidates
   * @throws {StateError} while the candidates are read or replaced: `indexAsync` waits
   */
  index(candidates: VectorsLike, identifiers?: readonly I[]): this {
    this.access.checkChange('index', 'indexAsync');
    this.#index(vectorSource('candidates', candidates), identifiers);
    return this;
  }

  /**
   * `index` when the reads and changes before it have ended, and with others between its steps; the candidates are copied
   * at the call. The old ones serve until the new ones are there.
   *
   * @throws as `index`; AbortedError when the signal is raised, and the index is as before
   */
  async indexAsync(
    candidates: VectorsLike,
    identifiers?: readonly I[],
    options: LongChangeOptions = {},
  ): Promise<this> {
    const checked = checkIndexing(options);
    throwIfAborted('index', checked.signal);
    const gathered = gatherCandidates(vectorSource('candidates', candidates), identifiers, this.runtime);
    return this.#replace('indexAsync', checked, async () => gathered);
  }

  /** Replace the candidates by those of a data set, read once, batch by batch. Throws as `index`. */
  async indexFromDataset(dataset: CandidateDataset<I>): Promise<this> {
    return this.#replace('indexFromDataset', {}, async () => {
      const buffer = new RowBuffer(this.runtime);
      try {
        const identifiers = await readDataset(dataset, buffer);
        return { rows: buffer.take(), identifiers };
      } catch (error) {
        buffer.free();
        throw error;
      }
    });
  }

  /**
   * The k best candidates of each query among the leaves searched; fewer where fewer exist or are allowed.
   *
   * @throws {StateError} before `index`
   * @throws {ShapeError} when queries are not as wide as the candidates, or exclusions not one list a query
   * @throws {NotFiniteError} when a query is NaN or infinite
   */
  call(queries: Queries<Q>, k?: CallArgument<I>): TopKResult<I> {
    const source = resolveQueries(queries, this.queryModel, this.#served().leaves.shape.dimensions);
    const ready = this.#prepare(source, k, this.#search);
    try {
      const { live, plan, distinct, work } = ready;
      const found = this.#search.run(live.leaves, distinct.count, distinct.write, plan, work);
      return ready.result(distinct.ofAll(found));
    } finally {
      ready.free();
    }
  }

  /**
   * `call` on the worker threads, while the caller's goes on; one call after the other. Throws as `call`. Until it has
   * ended changes of the candidates wait, or are refused where they cannot wait.
   */
  async callAsync(queries: Queries<Q>, k?: CallArgument<I>, within?: Reading): Promise<TopKResult<I>> {
    this.#served();
    const source = heldQueries(queries, this.queryModel);
    const search = async (): Promise<TopKResult<I>> => {
      this.#asyncSearch ??= new ScannSearch(this.runtime);
      const ready = this.#prepare(source, k, this.#asyncSearch);
      const { live, plan, distinct, work } = ready;
      try {
        const found = await this.#asyncSearch.runAsync(live.leaves, distinct.count, distinct.write, plan, work);
        return ready.result(distinct.ofAll(found));
      } finally {
        ready.free();
      }
    };
    return this.access.search('callAsync', search, within);
  }

  #prepare(source: VectorSource, k: CallArgument<I> | undefined, search: ScannSearch): PreparedCall<I> {
    return prepareCall(this, this.#served(), search, source, k);
  }

  /** `call` with every candidate scored from its row as it is kept; throws as `call`. */
  callExactly(queries: Queries<Q>, k: number = this.k): TopKResult<I> {
    return this.call(queries, { k, exact: true });
  }

  /** `call` with `exclude`: one list a query, or one for all. */
  queryWithExclusions(
    queries: Queries<Q>,
    exclusions: Exclusions<I>,
    k?: number | (ScannCallOptions<I> & CallOptions<I>),
  ): TopKResult<I> {
    return this.call(queries, withExclusions(exclusions, k));
  }

  /**
   * A filter made ready for many calls; free it afterwards. It holds until the candidates change.
   *
   * @throws {StateError} before `index`
   */
  compileFilter(filter: CallOptions<I>['filter']): GroupFilter {
    const live = this.#served();
    return compileFilter(live.leaves, live.identifiers, { filter: filter ?? (() => true) }, () => live.slots)!;
  }

  /** Candidates that can be upserted before `reserve` copies anything, if they fill the groups of leaves they open. */
  get room(): number {
    return this.#live?.roomPoints ?? 0;
  }

  protected *growth(candidates: number): Generator<void, void> {
    const live = this.#served();
    const steps = live.growth(candidates);
    try {
      // Room is for the candidates there are: new ones in their place end it.
      while (this.#live === live && !steps.next().done) yield;
    } finally {
      steps.return();
    }
  }

  /**
   * Build, in turns of the event loop, what the first update, exclusion or include list would wait for: the way from
   * identifiers to where their candidates stand. It may be called at any time; queries and updates go on.
   */
  async prepareLookups(): Promise<void> {
    const live = this.#live;
    if (!live || this.dimensions === 0) return;
    const steps = live.preparation();
    while (this.#live === live && !steps.next().done) await nextTurn();
  }

  /** How far updates have led from the leaves as they were built. */
  drift(): IndexDrift {
    return this.#served().drift();
  }

  /**
   * Build anew from the candidates as they are, while queries and updates go on, and serve the result from then on, with
   * the updates made meanwhile. Rows are numbered anew where candidates were deleted.
   *
   * @throws {StateError} before `index`, or when `index` or `free` takes the candidates away
   * @throws {AbortedError} when the signal is raised
   * @throws {MemoryError} when the linear memory cannot hold both; whatever it throws, the index is as it would be without
   */
  async rebalance(options: LongChangeOptions = {}): Promise<this> {
    const { signal, onProgress } = checkRebalancing(options);
    let old: LiveIndex<I> | undefined;
    const check = (): void => {
      if (this.#live !== old) throw new StateError('rebalance: expected the candidates to stay, got new ones');
    };
    const begin = function* (this: ScaNN<Q, I>): Generator<Progress, void> {
      old = this.#served();
      const kept = new KeptUpdates<I>();
      this.#kept = kept;
      try {
        this.#take(yield* rebalanced(old, kept, this.settings, this.runtime));
      } finally {
        this.#kept = undefined;
      }
    };
    const steps = { begin: () => begin.call(this), letsUpdatesIn: true, check, signal, onProgress };
    await this.access.changeInSteps('rebalance', steps);
    return this;
  }

  /** Undefined: `save` writes all rows, and which of them were deleted. */
  savedRows(): undefined {
    return undefined;
  }

  /** The parts of the index as bytes, by name: views that hold until the candidates change. */
  parts(): Record<string, Uint8Array> {
    return this.#live?.leaves.bytes() ?? {};
  }

  /** What the index is made of. */
  stats(): ScannStats {
    return scannStats(this.settings, this.#live?.leaves, this.size);
  }

  /**
   * Settings, identifiers and parts as they are; the query model is not among them.
   *
   * @throws {StateError} before `index`
   */
  save(): Saved {
    const { leaves, identifiers, size } = this.#served();
    return saveScann(this.settings, leaves, identifiers, size);
  }

  /**
   * The index that was saved; its parts stay in the blocks they were read to.
   *
   * @throws {FormatError} when settings and sections do not fit together
   */
  static load<Q, I extends Identifier>(part: Part, queryModel?: QueryModel<Q>): ScaNN<Q, I> {
    const { settings, leaves, identifiers, size } = loadScann<I>(part);
    const { numReorderingCandidates, ...others } = settings;
    const reorder = settings.reorder === false ? {} : { numReorderingCandidates };
    const index = new ScaNN<Q, I>({ ...others, ...reorder, queryModel, runtime: part.runtime });
    index.#live = new LiveIndex(leaves, identifiers, size, settings.distanceMeasure === 'cosine');
    return index;
  }

  protected release(): void {
    this.#take(undefined);
    this.#search.free();
    this.#asyncSearch?.free();
  }

  #served(): LiveIndex<I> {
    if (!this.#live) throw notIndexed();
    return this.#live;
  }

  #index(source: VectorSource, identifiers: readonly I[] | undefined): void {
    const gathered = gatherCandidates(source, identifiers, this.runtime);
    const build = this.#build(gathered);
    while (!build.next().done);
  }

  protected applyUpsert(identifiers: readonly I[], source: VectorSource): void {
    const live = this.#served();
    // An empty index has no width and no leaves: these are its first candidates.
    if (live.leaves.shape.dimensions === 0) {
      this.#index(source, identifiers);
      return;
    }
    const again = this.#kept && copied(source);
    live.upsert(identifiers, source);
    if (again) this.#kept?.upsert(identifiers, again);
  }

  protected applyDelete(identifiers: readonly I[]): number {
    const gone = this.#served().delete(identifiers);
    this.#kept?.delete(identifiers);
    return gone;
  }

  protected applyReserve(candidates: number): void {
    this.#served().reserve(candidates);
    this.#kept?.reserve(candidates);
  }

  /** Put other candidates in the place of these, in their turn and in steps. What is not built of is given back. */
  async #replace(
    verb: string,
    { signal, onProgress }: LongChangeOptions,
    gather: () => Promise<Candidates<I>>,
  ): Promise<this> {
    let gathered: Candidates<I> | undefined;
    const prepare = async (): Promise<void> => {
      gathered = await gather();
    };
    const begin = (): Generator<Progress, void> => this.#build(gathered!);
    try {
      await this.access.changeInSteps(verb, { prepare, begin, replaces: true, signal, onProgress });
    } finally {
      gathered?.rows.free();
    }
    return this;
  }

  *#build(candidates: Candidates<I>): Generator<Progress, void> {
    this.#take(yield* buildLive(candidates, this.settings, this.runtime));
  }

  #take(live: LiveIndex<I> | undefined): void {
    this.#live?.free();
    this.#live = live;
  }
}
