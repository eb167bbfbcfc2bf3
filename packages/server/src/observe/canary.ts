/**
 * The recall canary: a share of the queries is searched again exactly after they were answered, and the mean recall@k
 * of the latest comparisons is published. It shows the recall that users get, for example after drift by updates or
 * with too few leaves searched.
 */
import type { Identifier } from 'shortlist';
import type { Query, QueryResult, Servable } from '../servable/contract.ts';

/** Number of latest comparisons over which the published recall is averaged. */
const WINDOW = 200;
/** Most comparisons that may wait. Further ones are dropped, so that the canary's work does not pile up. */
const PENDING_MAX = 1;
/**
 * Largest share of one thread's time for the comparisons of all processes together; it limits them even if a larger
 * share of the queries is set.
 */
const DUTY = 0.02;

/** Options of a canary. */
export interface CanaryOptions {
  /** Share of the queries that are searched again, from 0 to 1. */
  share: number;
  /** Number of processes, each of which has a canary. */
  processes: number;
  now?: () => number;
}

/** Samples results of one model and compares them with exact ones. */
export class RecallCanary {
  readonly #share: number;
  readonly #duty: number;
  readonly #now: () => number;
  readonly #publish: (recall: number) => void;
  readonly #recalls: number[] = [];
  #pending = 0;
  #debt = 0;
  #restUntil = 0;

  constructor({ share, processes, now = () => performance.now() }: CanaryOptions, publish: (recall: number) => void) {
    this.#share = share;
    this.#duty = DUTY / processes;
    this.#now = now;
    this.#publish = publish;
  }

  /**
   * Observe the results of a request; every 1 ∕ share-th query without rules is compared, after the response was sent.
   */
  observe(servable: Servable, queries: readonly Query[], results: readonly QueryResult[]): void {
    if (this.#share === 0 || servable.isExact()) return;
    for (let i = 0; i < queries.length; i++) {
      // Queries with rules are not compared, because rules choose among the found candidates: one missed candidate may
      // change several results.
      if (queries[i]!.rules) continue;
      this.#debt += this.#share;
      if (this.#debt < 1) continue;
      this.#debt -= 1;
      if (this.#pending >= PENDING_MAX || this.#now() < this.#restUntil) continue;
      this.#pending++;
      setImmediate(() => {
        void this.#compare(servable, queries[i]!, results[i]!).finally(() => this.#pending--);
      });
    }
  }

  /** Mean recall of the latest comparisons; undefined before the first. */
  get recall(): number | undefined {
    if (this.#recalls.length === 0) return undefined;
    return this.#recalls.reduce((sum, recall) => sum + recall, 0) / this.#recalls.length;
  }

  async #compare(servable: Servable, query: Query, result: QueryResult): Promise<void> {
    let truth: Set<Identifier>;
    const started = this.#now();
    try {
      const [exact] = await servable.searchExactly([query]);
      truth = new Set(exact!.identifiers);
    } catch {
      // The version may have been retired between the search and the comparison.
      return;
    }
    const ended = this.#now();
    this.#restUntil = ended + (ended - started) / this.#duty;
    if (truth.size === 0) return;
    // Several rows may have the same identifier.
    const found = [...new Set(result.identifiers)].filter((identifier) => truth.has(identifier)).length;
    this.#recalls.push(found / truth.size);
    if (this.#recalls.length > WINDOW) this.#recalls.shift();
    this.#publish(this.recall!);
  }
}
