/** Keeps the updates made during a rebalance and applies them to the new index before it replaces the old one. */
import type { Progress } from '../../../clustering/k-means.ts';
import type { Identifier } from '../../contract.ts';
import type { VectorSource } from '../../vector-source.ts';
import type { LiveIndex } from './live-index.ts';

/** Updates applied in a step: some tenths of a millisecond where each is of one candidate. */
const UPDATES_A_STEP = 32;

type KeptUpdate<I extends Identifier> =
  | { kind: 'upsert'; identifiers: readonly I[]; source: VectorSource }
  | { kind: 'delete'; identifiers: readonly I[] }
  | { kind: 'reserve'; candidates: number };

/** The updates, in the order in which they were made. */
export class KeptUpdates<I extends Identifier> {
  readonly #updates: KeptUpdate<I>[] = [];

  /** Keep an upsert. @param source must not change afterwards */
  upsert(identifiers: readonly I[], source: VectorSource): void {
    this.#updates.push({ kind: 'upsert', identifiers: [...identifiers], source });
  }

  delete(identifiers: readonly I[]): void {
    this.#updates.push({ kind: 'delete', identifiers: [...identifiers] });
  }

  reserve(candidates: number): void {
    this.#updates.push({ kind: 'reserve', candidates });
  }

  /**
   * Apply them to an index, a few in each step; updates that are added between the steps are applied in the last one.
   *
   * @throws what an update throws
   */
  *replay(live: LiveIndex<I>): Generator<Progress, void> {
    const total = this.#updates.length;
    for (let done = 0; done < total; done += UPDATES_A_STEP) {
      for (const update of this.#updates.slice(done, Math.min(total, done + UPDATES_A_STEP))) apply(live, update);
      yield { step: 'updates', done: Math.min(total, done + UPDATES_A_STEP), total };
    }
    for (const update of this.#updates.slice(total)) apply(live, update);
  }
}

function apply<I extends Identifier>(live: LiveIndex<I>, update: KeptUpdate<I>): void {
  if (update.kind === 'upsert') live.upsert(update.identifiers, update.source);
  else if (update.kind === 'delete') live.delete(update.identifiers);
  else live.reserve(update.candidates);
}
