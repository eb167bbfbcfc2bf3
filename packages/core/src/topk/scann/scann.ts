/**
 * Approximate top-k over millions of candidates: partitions, 4-bit product codes, exact reordering.
 *
 * After TFRS's `ScaNN` layer and ScaNN (Guo et al. 2020, arXiv 1908.10396; SOAR, arXiv 2404.00774). Scores are larger for
 * better candidates: ⟨q, x⟩, the cosine, or −|q − x|². Below about 20,000 candidates the index scores all of them exactly
 * and says so in `stats()`. Limit: the candidates fit in the linear memory (4 GiB).
 */
import { throwIfAborted } from '../../checks/abort.ts';
import type { Progress } from '../../clustering/k-means.ts';
import { NotFiniteError } from '../../errors/errors.ts';
import { defaultRuntime, type Runtime } from '../../parallel/runtime.ts';
import { distinctRows } from '../../vectors/distinct-rows.ts';
import type { Matrix, VectorsLike } from '../../vectors/matrix.ts';
import { callOptions, notIndexed, withExclusions } from '../call-options.ts';
import { readCandidates, readDataset } from '../candidate-builder.ts';
import type { CallOptions, CandidateDataset, Exclusions, Identifier, Queries, QueryModel, TopK } from '../contract.ts';
import type { Identifiers } from '../identifiers.ts';
import { resolveQueries } from '../queries.ts';
import { TopKResult } from '../result.ts';
import { type VectorSource, vectorSource } from '../vector-source.ts';
import { buildFlat, buildTree } from './build.ts';
import { prepareRows } from './candidates.ts';
import type { Leaves } from './leaves.ts';
import { checkFilter, compileFilter, excludedSlots, GroupFilter, SlotsOfRows } from './masks.ts';
import { type ScannOptions, type ScannSettings, scannSettings } from './options.ts';
import { searchPlan } from './plan.ts';
import { RowBuffer } from './row-buffer.ts';
import { type Found, ScannSearch, type SearchWork } from './search.ts';
import { type ScannStats, scannStats } from './stats.ts';

/** Below it scoring everything is about as fast as a tree, and exact. */
const TREE_FROM = 20_000;
/** Codes of 16 words a block need as many rows. */
const TREE_ROWS_MIN = 16;

/** Options of a call of `ScaNN`. */
export interface ScannCallOptions<I extends Identifier> extends Omit<CallOptions<I>, 'filter'> {
  /** Leaves searched; default the index's. */
  leavesToSearch?: number | undefined;
  /** Candidates scored again exactly; default the index's; at least k. */
  reorder?: number | undefined;
  /** A predicate, bit words over the rows, or what `compileFilter` made of one. */
  filter?: CallOptions<I>['filter'] | GroupFilter;
  /** Counts the work of the call into this object. */
  work?: SearchWork | undefined;
  /** Refuses to start when it was raised. */
  signal?: AbortSignal | undefined;
}

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
  #leaves: Leaves | undefined;
  #identifiers: Identifiers<I> | undefined;
  #rows = 0;
  #slotsOf: SlotsOfRows | undefined;

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

  /** Rows indexed. */
  get size(): number {
    return this.#rows;
  }

  /** Width of a candidate; 0 before `index`. */
  get dimensions(): number {
    return this.#leaves?.shape.dimensions ?? 0;
  }

  /** The identifiers of the rows; undefined before `index`. */
  get identifiers(): Identifiers<I> | undefined {
    return this.#identifiers;
  }

  /** Bytes of the index. */
  get sizeBytes(): number {
    return this.#leaves?.sizeBytes ?? 0;
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
    const build = this.#build(this.#gather(candidates, identifiers));
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
    const build = this.#build(this.#gather(candidates, identifiers));
    try {
      for (let step = build.next(); !step.done; step = build.next()) {
        onProgress?.(step.value);
        await new Promise((resolve) => setTimeout(resolve, 0));
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
    const leaves = this.#leaves;
    const identifiers = this.#identifiers;
    if (!leaves || !identifiers) throw notIndexed();
    const options = callOptions<I, CallOptions<I> & ScannCallOptions<I>>(k as number | CallOptions<I>, this.k);
    throwIfAborted('call', options.signal);
    const source = resolveQueries(queries, this.queryModel, leaves.shape.dimensions);
    const columns = Math.min(options.k, this.#rows);
    const slotsOf = (): SlotsOfRows => {
      this.#slotsOf ??= new SlotsOfRows(leaves, identifiers.size);
      return this.#slotsOf;
    };
    const { filter } = options as ScannCallOptions<I>;
    const compiled =
      filter instanceof GroupFilter
        ? checkFilter(filter, leaves)
        : compileFilter(leaves, identifiers, { include: options.include, filter }, slotsOf);
    try {
      const exclusions = excludedSlots(identifiers, source.rows, options.exclude, slotsOf);
      const plan = searchPlan(this.settings, leaves, this.#rows, columns, options, compiled, exclusions);
      const found = this.#run(leaves, source, plan, options.work);
      return new TopKResult(columns, found.counts, found.scores, found.rows, identifiers.of);
    } finally {
      if (compiled && compiled !== filter) compiled.free();
    }
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
    const leaves = this.#leaves;
    const identifiers = this.#identifiers;
    if (!leaves || !identifiers) throw notIndexed();
    return compileFilter(leaves, identifiers, { filter: filter ?? (() => true) }, () => {
      this.#slotsOf ??= new SlotsOfRows(leaves, identifiers.size);
      return this.#slotsOf;
    })!;
  }

  /** The parts of the index as bytes, by name: views that hold until the candidates change. */
  parts(): Record<string, Uint8Array> {
    return Object.fromEntries(Object.entries(this.#leaves?.parts ?? {}).map(([name, block]) => [name, block.bytes()]));
  }

  /** What the index is made of. */
  stats(): ScannStats {
    return scannStats(this.settings, this.#leaves, this.#rows);
  }

  /** Give the memory back; the index is as before `index`. */
  free(): void {
    this.#leaves?.free();
    this.#leaves = undefined;
    this.#identifiers = undefined;
    this.#slotsOf = undefined;
    this.#rows = 0;
    this.#search.free();
  }

  #gather(
    candidates: VectorsLike,
    identifiers: readonly I[] | undefined,
  ): { rows: Matrix; identifiers: Identifiers<I> } {
    const buffer = new RowBuffer(this.runtime);
    try {
      const names = readCandidates(vectorSource('candidates', candidates), identifiers, buffer);
      return { rows: buffer.take(), identifiers: names };
    } catch (error) {
      buffer.free();
      throw error;
    }
  }

  *#build({ rows, identifiers }: { rows: Matrix; identifiers: Identifiers<I> }): Generator<Progress, void> {
    const { tree, distanceMeasure } = this.settings;
    const input = prepareRows(rows, distanceMeasure);
    try {
      const hasTree = rows.rows >= TREE_ROWS_MIN && (tree === 'always' || (tree === 'auto' && rows.rows >= TREE_FROM));
      const leaves = hasTree
        ? yield* buildTree(input, this.settings, this.runtime)
        : buildFlat(rows, this.settings, this.runtime);
      this.#leaves?.free();
      this.#leaves = leaves;
      this.#identifiers = identifiers;
      this.#rows = rows.rows;
      this.#slotsOf = undefined;
    } finally {
      if (input.coded !== input.rows) input.coded.free();
      input.rows.free();
    }
  }

  #run(leaves: Leaves, source: VectorSource, plan: ReturnType<typeof searchPlan>, work: SearchWork | undefined): Found {
    const d = leaves.shape.dimensions;
    const isCosine = this.settings.distanceMeasure === 'cosine';
    if (source.rows <= 1 || plan.exclusions) {
      return this.#search.run(
        leaves,
        source.rows,
        (begin, end, to, stride) => {
          if (stride === d) source.copy(begin, end, to);
          else spread(source, begin, end, d, to, stride);
          this.#check(to, begin, stride);
          if (isCosine) normalizeRows(to, stride);
        },
        plan,
        work,
      );
    }
    const all = new Float32Array(source.rows * d);
    source.copy(0, source.rows, all);
    const { first, groupOf } = distinctRows(all, d);
    const found = this.#search.run(
      leaves,
      first.length,
      (begin, end, to, stride) => {
        for (let i = begin; i < end; i++) {
          const at = (i - begin) * stride;
          to.set(all.subarray(first[i]! * d, first[i]! * d + d), at);
          if (stride > d) to.fill(0, at + d, at + stride);
          this.#check(to.subarray(at, at + stride), first[i]!, stride);
        }
        if (isCosine) normalizeRows(to, stride);
      },
      plan,
      work,
    );
    return first.length === source.rows ? found : repeat(found, groupOf, plan.k);
  }

  #check(rows: Float32Array, firstRow: number, stride: number): void {
    const at = this.runtime.kernels.findNotFinite(rows.byteOffset, rows.length);
    if (at < 0) return;
    throw new NotFiniteError(
      `queries: expected finite numbers, got ${rows[at]} in row ${firstRow + Math.floor(at / stride)}, column ${at % stride}`,
    );
  }
}

/** Rows of d to rows of `stride`, zeros between. */
function spread(source: VectorSource, begin: number, end: number, d: number, to: Float32Array, stride: number): void {
  const packed = new Float32Array((end - begin) * d);
  source.copy(begin, end, packed);
  for (let i = 0; i < end - begin; i++) {
    to.set(packed.subarray(i * d, i * d + d), i * stride);
    to.fill(0, i * stride + d, i * stride + stride);
  }
}

function normalizeRows(rows: Float32Array, stride: number): void {
  for (let at = 0; at < rows.length; at += stride) {
    let square = 0;
    for (let t = at; t < at + stride; t++) square += rows[t]! ** 2;
    if (square === 0) continue;
    const inverse = 1 / Math.sqrt(square);
    for (let t = at; t < at + stride; t++) rows[t]! *= inverse;
  }
}

/** The results of distinct queries for all queries. */
function repeat(found: Found, groupOf: Int32Array, k: number): Found {
  const counts = new Int32Array(groupOf.length);
  const scores = new Float32Array(groupOf.length * k);
  const rows = new Int32Array(groupOf.length * k);
  for (let query = 0; query < groupOf.length; query++) {
    const from = groupOf[query]! * k;
    counts[query] = found.counts[groupOf[query]!]!;
    scores.set(found.scores.subarray(from, from + k), query * k);
    rows.set(found.rows.subarray(from, from + k), query * k);
  }
  return { counts, scores, rows };
}
