/**
 * Exact top-k over candidates that are read again at every call. Only the data set is stored, so the results follow a
 * model that is being trained, and the candidates need not fit in memory.
 *
 * After TFRS's `Streaming` (layers/factorized_top_k.py). Differences: a call keeps no state, so concurrent calls are
 * safe, and batches of any length are accepted. Kernels and order are those of `BruteForce`, so the results have the
 * same bits. Limit: a call, and its result, hold the identifiers of all candidates in memory.
 */
import { throwIfAborted } from '../../checks/abort.ts';
import { checkInteger, shown } from '../../checks/numbers.ts';
import { optionsCheck, optionType, SIGNAL } from '../../checks/options.ts';
import { OptionError, StateError } from '../../errors/errors.ts';
import { defaultRuntime, RUNTIME, type Runtime } from '../../parallel/runtime.ts';
import { CALL, callOptions, notIndexed, TOP_K, withExclusions } from '../call-options.ts';
import { openDataset } from '../candidate-builder.ts';
import type {
  AsyncTopK,
  CallOptions,
  CandidateBatch,
  CandidateDataset,
  Exclusions,
  Identifier,
  Queries,
  QueryModel,
  TopKOptions,
} from '../contract.ts';
import { resolveQueries } from '../queries.ts';
import type { TopKResult } from '../result.ts';
import { StreamSearch } from './stream-search.ts';

/** Options of `Streaming`. */
export interface StreamingOptions<Q, I extends Identifier> extends TopKOptions<Q> {
  /** The candidates, as for `indexFromDataset`. */
  dataset?: CandidateDataset<I>;
  /** The runtime whose kernels are used; default the shared one. */
  runtime?: Runtime;
}

/** Options of a call of `Streaming`. */
export interface StreamingCallOptions<I extends Identifier> extends CallOptions<I> {
  /** Stops the call between two batches. */
  signal?: AbortSignal | undefined;
}

const checkOptions = optionsCheck<StreamingOptions<never, never>>('Streaming', {
  ...TOP_K,
  dataset: optionType('a data set', (value) => typeof value === 'function' || typeof value === 'object'),
  runtime: RUNTIME,
});
const checkCall = optionsCheck<StreamingCallOptions<never>>('a call of Streaming', { ...CALL, signal: SIGNAL });

/** The index that reads its candidates at every call. */
export class Streaming<Q = ArrayLike<number>, I extends Identifier = Identifier>
  implements AsyncTopK<Q, I, StreamingCallOptions<I>>
{
  readonly k: number;
  readonly queryModel: QueryModel<Q> | undefined;
  readonly runtime: Runtime;
  #dataset: CandidateDataset<I> | undefined;
  #size = 0;

  /** @throws {OptionError} when k is not an integer of at least 1 or the data set can be read only once */
  constructor(options: StreamingOptions<Q, I> = {}) {
    const { queryModel, k = 10, runtime = defaultRuntime(), dataset } = checkOptions(options);
    this.k = checkInteger('k', k, 1);
    this.queryModel = queryModel;
    this.runtime = runtime;
    this.#dataset = dataset === undefined ? undefined : checkDataset(dataset);
  }

  /** Rows of the data set, counted in the latest complete call; 0 before the first one. */
  get size(): number {
    return this.#size;
  }

  /** Always 0: the width is known only while the data set is read. */
  get dimensions(): number {
    return 0;
  }

  /** Always true. */
  isExact(): boolean {
    return true;
  }

  /** @throws {OptionError} always: use `indexFromDataset` */
  index(): never {
    throw new OptionError(
      'index: expected a data set, as Streaming holds no candidates: call `indexFromDataset` instead',
    );
  }

  /**
   * Keep the data set; it is read at every call, not now.
   *
   * @param dataset an array of batches, or a function that returns an iterable or an async iterable
   * @throws {OptionError} when it can be read only once
   */
  async indexFromDataset(dataset: CandidateDataset<I>): Promise<this> {
    this.#dataset = checkDataset(dataset);
    this.#size = 0;
    return this;
  }

  /**
   * The k best candidates of each query in one reading of the data set.
   *
   * @throws {StateError} before `indexFromDataset`, or when the data set is async: use `callAsync`
   * @throws as `BruteForce.index` for what the data set holds and as `BruteForce.call` for the queries
   */
  call(queries: Queries<Q>, k?: number | StreamingCallOptions<I>): TopKResult<I> {
    const dataset = this.#dataset;
    const sequence = typeof dataset === 'function' ? dataset() : dataset;
    if (sequence === undefined) throw notIndexed();
    if (!(Symbol.iterator in sequence)) {
      throw new StateError('call: expected a data set that is read without waiting, got an async one: use `callAsync`');
    }
    const { search, signal } = this.#start(queries, k);
    try {
      for (const batch of sequence as Iterable<CandidateBatch<I>>) {
        throwIfAborted('call', signal);
        search.add(batch);
      }
      return this.#finish(search, dataset);
    } finally {
      search.free();
    }
  }

  /**
   * `call` for any data set, also an async one. `indexFromDataset` during the call has no effect on it.
   */
  async callAsync(queries: Queries<Q>, k?: number | StreamingCallOptions<I>): Promise<TopKResult<I>> {
    const dataset = this.#dataset;
    if (dataset === undefined) throw notIndexed();
    const { search, signal } = this.#start(queries, k);
    try {
      for await (const batch of await openDataset(dataset)) {
        throwIfAborted('call', signal);
        search.add(batch);
      }
      return this.#finish(search, dataset);
    } finally {
      search.free();
    }
  }

  /** `call` with `exclude`: one list per query, or one for all. */
  queryWithExclusions(
    queries: Queries<Q>,
    exclusions: Exclusions<I>,
    k?: number | StreamingCallOptions<I>,
  ): TopKResult<I> {
    return this.call(queries, withExclusions<I, StreamingCallOptions<I>>(exclusions, k));
  }

  #start(
    queries: Queries<Q>,
    k: number | StreamingCallOptions<I> | undefined,
  ): { search: StreamSearch<I>; signal: AbortSignal | undefined } {
    const options = callOptions<I, StreamingCallOptions<I>>(k, this.k, checkCall);
    throwIfAborted('call', options.signal);
    const source = resolveQueries(queries, this.queryModel, 0);
    return { search: new StreamSearch<I>(this.runtime, source, options), signal: options.signal };
  }

  #finish(search: StreamSearch<I>, dataset: CandidateDataset<I> | undefined): TopKResult<I> {
    const result = search.result();
    if (dataset === this.#dataset) this.#size = search.rows;
    return result;
  }
}

/** A data set that can be read at every call: a function, or an iterable that is not its own iterator. */
function checkDataset<I extends Identifier>(dataset: CandidateDataset<I>): CandidateDataset<I> {
  if (typeof dataset === 'function') return dataset;
  const readable = typeof dataset === 'object' && dataset !== null;
  if (readable && Symbol.iterator in dataset) {
    if ((dataset[Symbol.iterator]() as unknown) !== dataset) return dataset;
  } else if (readable && Symbol.asyncIterator in dataset) {
    if ((dataset[Symbol.asyncIterator]() as unknown) !== dataset) return dataset;
  }
  throw new OptionError(
    'dataset: expected what can be read at every call, an array of batches or a function that returns an iterable, ' +
      `got ${shown(dataset)}`,
  );
}
