/**
 * Approximate top-k over millions of candidates: partitions, 4-bit product codes, exact reordering.
 *
 * After TFRS's `ScaNN` layer and ScaNN (Guo et al. 2020, arXiv 1908.10396; SOAR, arXiv 2404.00774). Scores are larger for
 * better candidates: ⟨q, x⟩, the cosine, or −|q − x|². Below about 20,000 candidates the index scores all of them exactly
 * and says so in `stats()`. Limit: the candidates fit in the linear memory (4 GiB).
 */
import { throwIfAborted } from '../../checks/abort.ts';
import { checkInteger } from '../../checks/numbers.ts';
import type { Progress } from '../../clustering/k-means.ts';
import { StateError } from '../../errors/errors.ts';
import type { Part } from '../../format/part.ts';
import type { Saved } from '../../format/saved.ts';
import { defaultRuntime, type Runtime } from '../../parallel/runtime.ts';
import { finishInTurns, nextTurn } from '../../parallel/steps.ts';
import type { VectorsLike } from '../../vectors/matrix.ts';
import { AsideCalls } from '../aside-calls.ts';
import { notIndexed, withExclusions } from '../call-options.ts';
import { readDataset } from '../candidate-builder.ts';
import type { CallOptions, CandidateDataset, Exclusions, Identifier, Queries, QueryModel, TopK } from '../contract.ts';
import type { Identifiers } from '../identifiers.ts';
import type { TopKResult } from '../result.ts';
import { vectorSource } from '../vector-source.ts';
import { buildLive, type Candidates, gatherCandidates } from './build/build-live.ts';
import { RowBuffer } from './build/row-buffer.ts';
import { type ScannOptions, type ScannSettings, scannSettings } from './options.ts';
import { loadScann, saveScann } from './saved.ts';
import { type PreparedCall, prepareCall, type ScannCallOptions } from './search/call.ts';
import { compileFilter, type GroupFilter } from './search/masks.ts';
import { ScannSearch } from './search/search.ts';
import { type ScannStats, scannStats } from './stats.ts';
import { LiveIndex, type ScannDrift } from './update/live-index.ts';

/** Options of a build that lets others run between its steps. */
export interface IndexAsyncOptions {
  signal?: AbortSignal | undefined;
  onProgress?: ((progress: Progress) => void) | undefined;
}

/** The approximate index. */
export class ScaNN<Q = ArrayLike<number>, I extends Identifier = Identifier>
  implements TopK<Q, I, ScannCallOptions<I> & CallOptions<I>>
{
  readonly settings: ScannSettings;
  readonly queryModel: QueryModel<Q> | undefined;
  readonly runtime: Runtime;
  readonly #search: ScannSearch;
  /** Of calls that are under way while others come. */
  #asideSearch: ScannSearch | undefined;
  readonly #aside: AsideCalls = new AsideCalls();
  #live: LiveIndex<I> | undefined;
  #isGrowing = false;
  /** Updates while a rebalance is under way, to be done again on its result. */
  #journal: (() => void)[] | undefined;

  /** @throws {OptionError} when an option is out of range or contradicts another */
  constructor(options: ScannOptions<Q> = {}) {
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
   */
  index(candidates: VectorsLike, identifiers?: readonly I[]): this {
    this.#still('index');
    const build = this.#build(gatherCandidates(candidates, identifiers, this.runtime));
    for (let step = build.next(); !step.done; step = build.next());
    return this;
  }

  /**
   * As `index`, but lets other work run between its steps; the old candidates serve until the new ones are there.
   *
   * @throws as `index`; AbortedError when the signal is raised, and the index is as before
   */
  async indexAsync(
    candidates: VectorsLike,
    identifiers?: readonly I[],
    { signal, onProgress }: IndexAsyncOptions = {},
  ): Promise<this> {
    throwIfAborted('index', signal);
    const build = this.#build(gatherCandidates(candidates, identifiers, this.runtime));
    try {
      for (let step = build.next(); !step.done; step = build.next()) {
        onProgress?.(step.value);
        await this.#turn();
        throwIfAborted('index', signal);
      }
    } finally {
      build.return();
    }
    return this;
  }

  /** Replace the candidates by those of a data set, read once, batch by batch. */
  async indexFromDataset(dataset: CandidateDataset<I>): Promise<this> {
    const buffer = new RowBuffer(this.runtime);
    try {
      const identifiers = await readDataset(dataset, buffer);
      while (this.#aside.underWay) await this.#aside.underWay;
      const build = this.#build({ rows: buffer.take(), identifiers });
      for (let step = build.next(); !step.done; step = build.next());
    } catch (error) {
      buffer.free();
      throw error;
    }
    return this;
  }

  /**
   * The k best candidates of each query among the leaves searched; fewer where fewer exist or are allowed.
   *
   * @throws {StateError} before `index`
   * @throws {ShapeError} when queries are not as wide as the candidates, or exclusions not one list a query
   * @throws {NotFiniteError} when a query is NaN or infinite
   */
  call(queries: Queries<Q>, k?: number | (ScannCallOptions<I> & CallOptions<I>) | ScannCallOptions<I>): TopKResult<I> {
    const ready = this.#prepare(queries, k, this.#search);
    try {
      const { live, plan, distinct, work } = ready;
      const found = this.#search.run(live.leaves, distinct.count, distinct.write, plan, work);
      return ready.result(distinct.ofAll(found));
    } finally {
      ready.free();
    }
  }

  /**
   * `call` on the worker threads, while the caller's goes on; one call after the other. Throws as `call`; until it has
   * ended `upsert`, `delete`, `index` and `free` are refused, because the candidates must not move under the search.
   */
  async callAsync(
    queries: Queries<Q>,
    k?: number | (ScannCallOptions<I> & CallOptions<I>) | ScannCallOptions<I>,
  ): Promise<TopKResult<I>> {
    return this.#aside.run(async () => {
      this.#asideSearch ??= new ScannSearch(this.runtime);
      const search = this.#asideSearch;
      const ready = this.#prepare(queries, k, search);
      const { live, plan, distinct, work } = ready;
      try {
        return ready.result(
          distinct.ofAll(await search.runAside(live.leaves, distinct.count, distinct.write, plan, work)),
        );
      } finally {
        ready.free();
      }
    });
  }

  #prepare(
    queries: Queries<Q>,
    k: number | (ScannCallOptions<I> & CallOptions<I>) | ScannCallOptions<I> | undefined,
    search: ScannSearch,
  ): PreparedCall<I> {
    return prepareCall(this, this.#served(), search, queries, k);
  }

  /** Let others run; what follows may replace the candidates. */
  async #turn(): Promise<void> {
    await nextTurn();
    while (this.#aside.underWay) await this.#aside.underWay;
  }

  /** @throws {StateError} while `callAsync` reads the candidates */
  #still(what: string): void {
    if (this.#isGrowing) throw new StateError(`${what}: expected no reserveInTurns under way, got one that copies`);
    this.#aside.checkNone(what);
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

  /**
   * Add candidates, or replace those whose identifier the index holds; codes are made with the leaves as they are.
   *
   * @throws {StateError} before `index`
   * @throws {ShapeError} when rows differ in width from the candidates, or identifiers in number
   * @throws {NotFiniteError} naming row and column of a NaN or an infinity
   * @throws {IdentifierError} when an identifier is of another type; where row numbers are the identifiers, also when one
   * is neither a row nor the next one
   */
  upsert(identifiers: readonly I[], vectors: VectorsLike): void {
    this.#still('upsert');
    const live = this.#served();
    const source = vectorSource('candidates', vectors);
    if (live.leaves.shape.dimensions === 0) {
      // An empty index has no width and no leaves: these are its first candidates.
      this.index(vectors, identifiers);
      return;
    }
    live.upsert(identifiers, source);
    if (!this.#journal) return;
    const data = new Float32Array(source.rows * source.dimensions);
    source.copy(0, source.rows, data);
    const again = { data, dimensions: source.dimensions };
    this.#journal.push(() => this.upsert(identifiers, again));
  }

  /**
   * Take candidates out; unknown identifiers are passed over. Returns how many rows went.
   *
   * @throws {StateError} before `index`
   * @throws {IdentifierError} when an identifier is not of the index's type
   */
  delete(identifiers: readonly I[]): number {
    this.#still('delete');
    const gone = this.#served().delete(identifiers);
    this.#journal?.push(() => this.delete(identifiers));
    return gone;
  }

  /** Room for `candidates` more, so that upserts of so many copy nothing. */
  reserve(candidates: number): void {
    this.#served().reserve(checkInteger('reserve', candidates, 0));
  }

  /** Candidates that can be upserted before `reserve` copies anything, if they fill the groups of leaves they open. */
  get room(): number {
    return this.#live?.roomPoints ?? 0;
  }

  /** `reserve` with the event loop between short steps. Queries go on; updates are refused until it has ended. */
  async reserveInTurns(candidates: number): Promise<void> {
    while (this.#aside.underWay) await this.#aside.underWay;
    this.#still('reserveInTurns');
    const live = this.#served();
    const steps = live.growth(checkInteger('reserve', candidates, 0));
    this.#isGrowing = true;
    try {
      while (this.#live === live && !steps.next().done) await this.#turn();
    } finally {
      steps.return();
      this.#isGrowing = false;
    }
  }

  /**
   * Build, in turns of the event loop, what the first update, exclusion or include list would wait for: the way from
   * identifiers to where their candidates stand. It may be called at any time; queries and updates go on.
   */
  async prepareLookups(): Promise<void> {
    if (this.#live && this.dimensions > 0) await finishInTurns(this.#live.preparation());
  }

  /** How far updates have led from the leaves as they were built. */
  drift(): ScannDrift {
    return this.#served().drift();
  }

  /**
   * Build anew from the candidates as they are, while queries and updates go on, and serve the result from then on;
   * updates meanwhile are done again on it. Rows are numbered anew where candidates were deleted.
   *
   * @throws {StateError} before `index`, while another rebalance is under way, or when `index` replaces the candidates
   * @throws {AbortedError} when the signal is raised, and the index is as before
   */
  async rebalance({ signal, onProgress }: IndexAsyncOptions = {}): Promise<this> {
    const live = this.#served();
    if (this.#journal) throw new StateError('rebalance: expected none under way, got a second one');
    throwIfAborted('rebalance', signal);
    const journal: (() => void)[] = [];
    this.#journal = journal;
    const build = this.#build(live.live());
    try {
      for (let step = build.next(); !step.done; step = build.next()) {
        onProgress?.(step.value);
        await this.#turn();
        throwIfAborted('rebalance', signal);
        if (this.#live !== live) throw new StateError('rebalance: expected the candidates to stay, got new ones');
      }
    } finally {
      build.return();
      this.#journal = undefined;
    }
    for (const update of journal) update();
    return this;
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

  /** Give the memory back; the index is as before `index`. */
  free(): void {
    this.#still('free');
    this.#live?.free();
    this.#live = undefined;
    this.#search.free();
    this.#asideSearch?.free();
  }

  #served(): LiveIndex<I> {
    if (!this.#live) throw notIndexed();
    return this.#live;
  }

  *#build(candidates: Candidates<I>): Generator<Progress, void> {
    const live = yield* buildLive(candidates, this.settings, this.runtime);
    this.#live?.free();
    this.#live = live;
  }
}
