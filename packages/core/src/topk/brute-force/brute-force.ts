/**
 * Exact top-k over candidates held in memory: every candidate is scored for every query.
 *
 * After TFRS's `BruteForce` (layers/factorized_top_k.py). Score = Σ_t q_t · c_t in float32, summed in the order of t
 * whatever the batch or the number of threads, so one query and a batch give the same bits. Limit: the candidates fit in
 * the linear memory (4 GiB).
 */
import { checkInteger } from '../../checks/numbers.ts';
import type { Part } from '../../format/part.ts';
import type { Saved } from '../../format/saved.ts';
import { defaultRuntime, type Runtime } from '../../parallel/runtime.ts';
import { finishInTurns } from '../../parallel/steps.ts';
import type { VectorsLike } from '../../vectors/matrix.ts';
import { AsideCalls } from '../aside-calls.ts';
import { callOptions, notIndexed, withExclusions } from '../call-options.ts';
import { readCandidates, readDataset } from '../candidate-builder.ts';
import type {
  CallOptions,
  CandidateDataset,
  Exclusions,
  Identifier,
  Queries,
  QueryModel,
  TopK,
  TopKOptions,
} from '../contract.ts';
import type { Identifiers } from '../identifiers.ts';
import { resolveQueries } from '../queries.ts';
import { TopKResult } from '../result.ts';
import { RowMask } from '../row-mask.ts';
import { loadIdentifiers, saveIdentifiers } from '../saved-identifiers.ts';
import { vectorSource } from '../vector-source.ts';
import { CoarseCodes, DIMENSIONS_MAX } from './coarse-codes.ts';
import { type Best, PanelSearch } from './panel-search.ts';
import { PanelStore, packedBytes } from './panel-store.ts';

/** Rows are int32 in the kernels. */
const ROWS_MAX = 0x7fff_ffff;

/** Options of `BruteForce`. */
export interface BruteForceOptions<Q> extends TopKOptions<Q> {
  /**
   * Keep coarse codes beside many candidates (28 % more memory), made at the first call of one to three queries: such
   * calls become 2.5 times as fast and their results stay the same bits. Default true.
   */
  coarseCodes?: boolean;
  /** Where candidates live and kernels run; default the shared one. */
  runtime?: Runtime;
}

/** Below this many rows a scan takes microseconds, and the candidates stay in the processor's cache. */
const COARSE_ROWS_MIN = 65_536;
/** Calls of more queries read the candidates once for four of them. */
const COARSE_QUERIES_MAX = 3;

/** What a call has when its search begins. */
interface PreparedCall<I extends Identifier> {
  columns: number;
  given: Parameters<PanelSearch['run']>;
  result: (columns: number, best: Best) => TopKResult<I>;
}

/** The exact index. */
export class BruteForce<Q = ArrayLike<number>, I extends Identifier = Identifier> implements TopK<Q, I> {
  readonly k: number;
  readonly queryModel: QueryModel<Q> | undefined;
  readonly runtime: Runtime;
  readonly #search: PanelSearch;
  /** Of calls that are under way while others come. */
  #asideSearch: PanelSearch | undefined;
  readonly #aside: AsideCalls = new AsideCalls();
  readonly #useCoarse: boolean;
  #coarse: CoarseCodes | undefined;
  #store: PanelStore | undefined;
  #identifiers: Identifiers<I> | undefined;

  /** @throws {OptionError} when k is not an integer of at least 1 */
  constructor({ queryModel, k = 10, coarseCodes = true, runtime = defaultRuntime() }: BruteForceOptions<Q> = {}) {
    this.k = checkInteger('k', k, 1);
    this.queryModel = queryModel;
    this.#useCoarse = coarseCodes;
    this.runtime = runtime;
    this.#search = new PanelSearch(runtime);
  }

  /** Rows indexed. */
  get size(): number {
    return this.#store?.rows ?? 0;
  }

  /** Width of a candidate; 0 before `index`. */
  get dimensions(): number {
    return this.#store?.dimensions ?? 0;
  }

  /** The identifiers of the rows; undefined before `index`. */
  get identifiers(): Identifiers<I> | undefined {
    return this.#identifiers;
  }

  /** Bytes of the packed candidates and, once they are there, of their coarse codes. */
  get sizeBytes(): number {
    return (this.#store?.sizeBytes ?? 0) + (this.#coarse?.sizeBytes ?? 0);
  }

  /**
   * The candidate of a row, as a copy.
   *
   * @throws {StateError} before `index`
   */
  candidate(row: number): Float32Array {
    if (!this.#store) throw notIndexed();
    return this.#store.row(row);
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
   */
  index(candidates: VectorsLike, identifiers?: readonly I[]): this {
    this.#aside.checkNone('index');
    const source = vectorSource('candidates', candidates);
    this.#replace((store) => readCandidates(source, identifiers, store));
    return this;
  }

  /**
   * Replace the candidates by those of a data set, packed as they come.
   *
   * @throws as `index`; OptionError when only some batches have identifiers
   */
  async indexFromDataset(dataset: CandidateDataset<I>): Promise<this> {
    const store = new PanelStore(this.runtime);
    try {
      const identifiers = await readDataset(dataset, store);
      while (this.#aside.underWay) await this.#aside.underWay;
      this.#take(store.finish(), identifiers);
    } catch (error) {
      store.free();
      throw error;
    }
    return this;
  }

  /**
   * The k best candidates of each query; fewer where fewer exist or are allowed.
   *
   * @throws {StateError} before `index`
   * @throws {ShapeError} when queries are not as wide as the candidates, or exclusions not one list a query
   * @throws {NotFiniteError} when a query is NaN or infinite
   */
  call(queries: Queries<Q>, k?: number | CallOptions<I>): TopKResult<I> {
    const { columns, result, given } = this.#prepare(queries, k);
    return result(columns, this.#search.run(...given));
  }

  /**
   * `call` on the worker threads, while the caller's goes on; one call after the other. Throws as `call`; until it has
   * ended `index` is refused, because the candidates must not move under the search.
   */
  async callAsync(queries: Queries<Q>, k?: number | CallOptions<I>): Promise<TopKResult<I>> {
    return this.#aside.run(async () => {
      this.#asideSearch ??= new PanelSearch(this.runtime);
      const { columns, result, given } = this.#prepare(queries, k);
      return result(columns, await this.#asideSearch.runAside(...given));
    });
  }

  /** A call up to its search. */
  #prepare(queries: Queries<Q>, k: number | CallOptions<I> | undefined): PreparedCall<I> {
    const store = this.#store;
    const identifiers = this.#identifiers;
    if (!store || !identifiers) throw notIndexed();
    const options = callOptions<I, CallOptions<I>>(k, this.k);
    const source = resolveQueries(queries, this.queryModel, store.dimensions);
    const columns = Math.min(options.k, store.rows);
    const mask = RowMask.of(identifiers, source.rows, options);
    return {
      columns,
      given: [store, source, columns, mask, this.#coarseFor(store, source.rows)],
      result: (columns, { counts, scores, rows }) => new TopKResult(columns, counts, scores, rows, identifiers.of),
    };
  }

  /** `call` with `exclude`: one list a query, or one for all. */
  queryWithExclusions(queries: Queries<Q>, exclusions: Exclusions<I>, k?: number | CallOptions<I>): TopKResult<I> {
    return this.call(queries, withExclusions(exclusions, k));
  }

  /** Build, in turns of the event loop, what the first exclusion or include list would wait for. */
  async prepareLookups(): Promise<void> {
    if (this.#identifiers) await finishInTurns(this.#identifiers.preparation());
  }

  /**
   * Settings, identifiers and packed candidates as they are; the query model is not among them.
   *
   * @throws {StateError} before `index`
   */
  save(): Saved {
    if (!this.#store || !this.#identifiers) throw notIndexed();
    const { rows, dimensions } = this.#store;
    return {
      kind: 'brute-force',
      settings: { k: this.k, rows, dimensions },
      sections: [{ name: 'candidates', bytes: this.#store.pieces() }],
      parts: { identifiers: saveIdentifiers(this.#identifiers) },
    };
  }

  /**
   * The index that was saved; its candidates stay in the block they were read to.
   *
   * @throws {FormatError} when settings and sections do not fit together
   */
  static load<Q, I extends Identifier>(part: Part, queryModel?: QueryModel<Q>): BruteForce<Q, I> {
    const { runtime, settings } = part;
    const index = new BruteForce<Q, I>({ queryModel, k: settings.integer('k', { min: 1 }), runtime });
    const rows = settings.integer('rows', { max: ROWS_MAX });
    const dimensions = settings.integer('dimensions', { min: Math.min(rows, 1), max: ROWS_MAX });
    const block = part.memory('candidates', packedBytes(rows, dimensions));
    const identifiers = loadIdentifiers(part.part('identifiers'), rows) as Identifiers<I>;
    index.#take(PanelStore.adopt(runtime, block, rows, dimensions), identifiers);
    return index;
  }

  #replace(read: (store: PanelStore) => Identifiers<I>): void {
    const store = new PanelStore(this.runtime);
    try {
      const identifiers = read(store);
      this.#take(store.finish(), identifiers);
    } catch (error) {
      store.free();
      throw error;
    }
  }

  /** The coarse codes, made now if a call of so few queries is the first to want them. */
  #coarseFor(store: PanelStore, queries: number): CoarseCodes | undefined {
    const wanted = this.#useCoarse && queries <= COARSE_QUERIES_MAX && store.rows >= COARSE_ROWS_MIN;
    if (!wanted || store.dimensions > DIMENSIONS_MAX) return undefined;
    this.#coarse ??= new CoarseCodes(store);
    return this.#coarse;
  }

  #take(store: PanelStore, identifiers: Identifiers<I>): void {
    this.#store?.free();
    this.#coarse?.free();
    this.#coarse = undefined;
    this.#store = store;
    this.#identifiers = identifiers;
  }
}
