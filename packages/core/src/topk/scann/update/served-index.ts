/**
 * Holds the built index that `ScaNN` uses. A build or a rebalance replaces it; the updates made during a rebalance are
 * kept and applied to the new index.
 */
import type { Progress } from '../../../clustering/k-means.ts';
import { StateError } from '../../../errors/errors.ts';
import type { Runtime } from '../../../parallel/runtime.ts';
import { nextTurn } from '../../../parallel/steps.ts';
import type { IndexAccess } from '../../access.ts';
import { notIndexed } from '../../call-options.ts';
import type { Identifier, LongChangeOptions } from '../../contract.ts';
import { copied, type VectorSource } from '../../vector-source.ts';
import { buildLive, type Candidates, gatherCandidates } from '../build/build-live.ts';
import type { Segments } from '../segments/segments.ts';
import { reorderOf, type ScannSettings } from '../settings.ts';
import { KeptUpdates } from './kept-updates.ts';
import type { LiveIndex } from './live-index.ts';
import { rebalanced } from './rebalance.ts';

/** Holds one built index, or none. */
export class ServedIndex<I extends Identifier> {
  #settings: ScannSettings;
  readonly #runtime: Runtime;
  readonly #access: IndexAccess;
  readonly #segments: Segments | undefined;
  #live: LiveIndex<I> | undefined;
  #measured: ScannSettings | undefined;
  /** Updates made while a rebalance is under way. */
  #kept: KeptUpdates<I> | undefined;

  /**
   * @param access the access queue of the index, which runs long changes
   * @param segments the segments into which builds are cut
   */
  constructor(settings: ScannSettings, runtime: Runtime, access: IndexAccess, segments: Segments | undefined) {
    this.#settings = settings;
    this.#runtime = runtime;
    this.#access = access;
    this.#segments = segments;
  }

  /** The built index; undefined before `index`. */
  get live(): LiveIndex<I> | undefined {
    return this.#live;
  }

  /** The settings of the index, with those that the calibration of its build chose. */
  get settings(): ScannSettings {
    return this.#measured ?? this.#settings;
  }

  /** Replace the settings of calls. The calibration of the build is dropped. */
  setSearchSettings(settings: ScannSettings): void {
    this.#settings = { ...settings, reorder: this.#settings.reorder };
    if (this.#live) {
      this.#live.calibration = undefined;
      // The bound that was chosen at the build stays under 'auto'.
      if (settings.groupBound !== 'auto') this.#live.leaves.shape.groupBound = Number(settings.groupBound);
    }
    this.#measure();
  }

  /** The built index. @throws {StateError} before `index` */
  get(): LiveIndex<I> {
    if (!this.#live) throw notIndexed();
    return this.#live;
  }

  /** Use another index, or none, and free the old one. */
  set(live: LiveIndex<I> | undefined): void {
    this.#live?.free();
    this.#live = live;
    this.#measure();
  }

  /** Replace the settings that the build or the width of the candidates decided. */
  #measure(): void {
    const measured = this.#live?.calibration;
    const reorder = reorderOf(this.#settings, this.#live?.dimensions ?? 0);
    const own = { ...this.#settings, reorder };
    if (!measured) this.#measured = own;
    else {
      const { numLeavesToSearch, numReorderingCandidates, k: tunedK } = measured;
      this.#measured = { ...own, numLeavesToSearch, numReorderingCandidates, tunedK };
    }
  }

  /** Build an index of the candidates, use it and free the candidates. Throws as `ScaNN.index`. */
  index(candidates: Candidates<I>): void {
    const build = this.#build(candidates);
    while (!build.next().done);
  }

  /**
   * Build an index of other candidates in steps, when the reads and changes before it have ended, and use it. The
   * candidates are freed in every case.
   *
   * @param gather reads the candidates
   */
  async replace(
    verb: string,
    { signal, onProgress }: LongChangeOptions,
    gather: () => Promise<Candidates<I>>,
  ): Promise<void> {
    let gathered: Candidates<I> | undefined;
    const prepare = async (): Promise<void> => {
      gathered = await gather();
    };
    const begin = (): Generator<Progress, void> => this.#build(gathered!);
    try {
      await this.#access.changeInSteps(verb, { prepare, begin, replaces: true, signal, onProgress });
    } finally {
      gathered?.rows.free();
    }
  }

  /** Use the index that `build` makes, when the reads and changes before it have ended. */
  async replaceBuilt(
    verb: string,
    signal: AbortSignal | undefined,
    build: (settings: ScannSettings) => Promise<LiveIndex<I>>,
  ): Promise<void> {
    let built: LiveIndex<I> | undefined;
    const prepare = async (): Promise<void> => {
      built = await build(this.#settings);
    };
    const use = (): Generator<Progress, void> => this.#use(built!);
    try {
      await this.#access.changeInSteps(verb, { prepare, begin: use, replaces: true, signal });
    } finally {
      if (built !== this.#live) built?.free();
    }
  }

  /** Rebuild from the present candidates. Throws as `ScaNN.rebalance`. */
  async rebalance({ signal, onProgress }: LongChangeOptions): Promise<void> {
    let old: LiveIndex<I> | undefined;
    const check = (): void => {
      if (this.#live !== old) throw new StateError('rebalance: expected the candidates to stay, got new ones');
    };
    const begin = (): Generator<Progress, void> => {
      old = this.get();
      return this.#rebalance(old);
    };
    await this.#access.changeInSteps('rebalance', { begin, letsUpdatesIn: true, check, signal, onProgress });
  }

  /** Add or replace candidates. Throws as `ScaNN.upsert`. */
  upsert(identifiers: readonly I[], source: VectorSource): void {
    const live = this.get();
    // An empty index has no width and no leaves: the first upsert builds an index of its candidates.
    if (live.leaves.shape.dimensions === 0) {
      this.index(gatherCandidates(source, identifiers, this.#settings, this.#runtime));
      return;
    }
    const again = this.#kept && copied(source);
    live.upsert(identifiers, source);
    if (again) this.#kept?.upsert(identifiers, again);
  }

  /** Delete candidates; returns the number of rows deleted. */
  delete(identifiers: readonly I[]): number {
    const gone = this.get().delete(identifiers);
    this.#kept?.delete(identifiers);
    return gone;
  }

  /** Make room for `candidates` more. */
  reserve(candidates: number): void {
    this.get().reserve(candidates);
    this.#kept?.reserve(candidates);
  }

  /** `reserve` in short steps. No update may run between them; replacing the whole index ends them. */
  *growth(candidates: number): Generator<void, void> {
    const live = this.get();
    const steps = live.growth(candidates);
    try {
      while (this.#live === live && !steps.next().done) yield;
    } finally {
      steps.return();
    }
  }

  /** Build the tables that lookups and the first update need, with a turn of the event loop after each step. */
  async prepareLookups(): Promise<void> {
    const live = this.#live;
    if (!live || live.leaves.shape.dimensions === 0) return;
    const steps = live.preparation();
    while (this.#live === live && !steps.next().done) await nextTurn();
  }

  *#use(live: LiveIndex<I>): Generator<Progress, void> {
    yield { step: 'use', done: 0, total: 1 };
    this.set(live);
  }

  *#build(candidates: Candidates<I>): Generator<Progress, void> {
    this.set(yield* buildLive(candidates, this.#settings, this.#runtime, this.#segments));
  }

  *#rebalance(old: LiveIndex<I>): Generator<Progress, void> {
    const kept = new KeptUpdates<I>();
    this.#kept = kept;
    try {
      this.set(yield* rebalanced(old, kept, this.#settings, this.#runtime, this.#segments));
    } finally {
      this.#kept = undefined;
    }
  }
}
