/**
 * The losses of an epoch: the mean over examples, and the two numbers that Keras calls loss, each under a name of its own.
 *
 * Keras's `history.loss` and `evaluate` show the sum of the last batch only; its progress bar shows the mean over batches
 * with the last one counted twice; neither is the mean over examples. Source: TFRS `models/base.py` with Keras 2.
 */

/** The losses of an epoch or an evaluation. */
export interface Losses {
  /** Σ loss / rows. Use this loss to compare runs. */
  perExample: number;
  /** The loss of the last batch, which Keras's `history` and `evaluate` show. */
  lastBatch: number;
  /** The loss that Keras's progress bar shows: (Σ batch losses + the last batch's loss again) / (batches + 1). */
  kerasBar: number;
}

/** The losses and in-batch accuracies of a step's batch. */
export interface StepLosses {
  /** The loss of the batch, by the task's reduction. */
  loss: number;
  perExample: number;
  /** Σ sample weights of the rows. */
  weight: number;
  /** In-batch accuracies by name, where the task has some. */
  batchMetrics?: Readonly<Record<string, number>>;
}

/** Sums the losses and in-batch accuracies of steps. */
export class LossMeter {
  readonly #names: readonly string[];
  #sum = 0;
  #last = 0;
  #batches = 0;
  #examplesLoss = 0;
  #rows = 0;
  #weight = 0;
  readonly #hits: number[];

  /** @param names the names of the in-batch accuracies of steps */
  constructor(names: readonly string[]) {
    this.#names = names;
    this.#hits = names.map(() => 0);
  }

  /** Add a batch of `rows` rows. */
  add({ loss, perExample, weight, batchMetrics = {} }: StepLosses, rows: number): void {
    this.#sum += loss;
    this.#last = loss;
    this.#batches++;
    this.#examplesLoss += perExample * rows;
    this.#rows += rows;
    this.#weight += weight;
    this.#names.forEach((name, i) => {
      this.#hits[i] = this.#hits[i]! + weight * (batchMetrics[name] ?? 0);
    });
  }

  /** The losses so far. */
  losses(): Losses {
    return {
      perExample: this.#examplesLoss / this.#rows,
      lastBatch: this.#last,
      kerasBar: (this.#sum + this.#last) / (this.#batches + 1),
    };
  }

  /** In-batch accuracies so far, weighted by sample weights; empty where all weights are 0. */
  batchMetrics(): Record<string, number> {
    if (this.#weight === 0) return {};
    return Object.fromEntries(this.#names.map((name, i) => [name, this.#hits[i]! / this.#weight]));
  }

  /** The sums, for a checkpoint. */
  save(): number[] {
    const losses = [this.#sum, this.#last, this.#batches, this.#examplesLoss, this.#rows];
    return this.#names.length > 0 ? [...losses, this.#weight, ...this.#hits] : losses;
  }

  /** Continue from saved sums. */
  restore(sums: readonly number[]): void {
    const [sum = 0, last = 0, batches = 0, examplesLoss = 0, rows = 0, weight = 0, ...hits] = sums;
    [this.#sum, this.#last, this.#batches, this.#examplesLoss, this.#rows] = [sum, last, batches, examplesLoss, rows];
    this.#weight = weight;
    this.#hits.forEach((_, i) => {
      this.#hits[i] = hits[i] ?? 0;
    });
  }
}
