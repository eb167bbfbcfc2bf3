/** Tracks the epochs of a run: its history, the best epoch so far, and whether the run ends early. */
import type { Features } from '../towers/tower-inputs.ts';
import { type BestEpoch, restoreBestEpoch, takeBestEpoch } from './best-epoch.ts';
import type { Checkpoint } from './checkpoint.ts';
import { EpochWatcher } from './early-stopping.ts';
import type { FitOptions } from './fit-options.ts';
import type { EpochRecord, History } from './history.ts';
import type { ModelParts } from './step.ts';

/** Keeps the history of a run, and the parameters of its best epoch where the run is to end with them. */
export class EpochTracker<Q extends Features, C extends Features> {
  readonly history: History = { epochs: [], stoppedEarly: false };
  readonly #model: ModelParts<Q, C>;
  readonly #watcher: EpochWatcher;
  readonly #mayStop: boolean;
  readonly #restores: boolean;
  #best: BestEpoch | undefined;

  constructor(model: ModelParts<Q, C>, options: FitOptions<Q, C>) {
    const { earlyStopping, validation, restoreBestWeights = validation !== undefined } = options;
    this.#model = model;
    this.#mayStop = earlyStopping !== undefined;
    this.#restores = restoreBestWeights;
    this.#watcher = new EpochWatcher(earlyStopping ?? { monitor: validation ? 'validation.perExample' : 'perExample' });
  }

  /** The best epoch so far, for a checkpoint. */
  get best(): BestEpoch | undefined {
    return this.#best;
  }

  /** Continue from the epochs of an interrupted run. */
  resume({ epochs, best }: Checkpoint): void {
    for (const record of epochs) this.#add(record);
    this.#best = best;
  }

  /** Take the record of the epoch that the model has just done. */
  take(record: EpochRecord): void {
    const isBest = this.#add(record);
    if (isBest && this.#restores) this.#best = takeBestEpoch(this.#model, record.epoch);
  }

  /** Give the model the parameters of the best epoch, where the run is to end with them. */
  restoreBest(): void {
    if (!this.#best) return;
    if (this.#best.epoch !== this.history.epochs.length) restoreBestEpoch(this.#model, this.#best);
    this.history.bestEpoch = this.#best.epoch;
  }

  #add(record: EpochRecord): boolean {
    this.history.epochs.push(record);
    if (!this.#mayStop && !this.#restores) return false;
    const { isBest, shouldStop } = this.#watcher.take(record);
    this.history.stoppedEarly = this.#mayStop && shouldStop;
    return isBest;
  }
}
