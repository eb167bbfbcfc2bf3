/**
 * The recall canary: after a query was answered, a share of the queries is searched again exactly, and the mean recall@k of
 * the last ones is published. It shows what users see: drift after updates, or too few leaves searched.
 */
import type { Identifier } from 'shortlist';
import type { Query, QueryResult, Servable } from '../servable/contract.ts';

/** Comparisons over which the published recall is averaged. */
const WINDOW = 200;
/** Comparisons that may wait. Further ones are dropped, because the canary must never queue behind itself. */
const PENDING_MAX = 1;
/** Share of one thread's time that the comparisons of all processes may take, whatever share of the queries is set. */
const DUTY = 0.02;

/** Options of a canary. */
export interface CanaryOptions {
  /** Share of the queries that are searched again, from 0 to 1. */
  share: number;
  /** Processes that have a canary each. */
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

  /** Observe the results of a request; every 1 ∕ share-th query without rules is compared, after the response was sent. */
  observe(servable: Servable, queries: readonly Query[], results: readonly QueryResult[]): void {
    if (this.#share === 0 || servable.isExact()) return;
    for (let i = 0; i < queries.length; i++) {
      // Rules choose among what was found: one candidate that was missed may change several results.
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

  /** Mean recall of the last comparisons, or undefined before the first. */
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
      // The version was retired between the search and the comparison.
      return;
    }
    const ended = this.#now();
    this.#restUntil = ended + (ended - started) / this.#duty;
    if (truth.size === 0) return;
    // One identifier may stand in several rows.
    const found = [...new Set(result.identifiers)].filter((identifier) => truth.has(identifier)).length;
    this.#recalls.push(found / truth.size);
    if (this.#recalls.length > WINDOW) this.#recalls.shift();
    this.#publish(this.recall!);
  }
}
