/**
 * Three numbers that are all called "loss", each under its own name.
 *
 * Keras's `history.loss` and `evaluate` show the sum of the last batch only; its progress bar shows the mean over batches
 * with the last one counted twice; neither is the mean over examples. Source: TFRS `models/base.py` with Keras 2.
 */

/** The losses of an epoch or an evaluation. */
export interface Losses {
  /** Σ loss / rows: the one to compare runs with. */
  perExample: number;
  /** What Keras's history and evaluate show: the last batch's loss. */
  lastBatch: number;
  /** What Keras's progress bar shows: (Σ batch losses + the last once more) / (batches + 1). */
  kerasBar: number;
}

/** Collects batch losses. */
export class LossMeter {
  #sum = 0;
  #last = 0;
  #batches = 0;
  #examplesLoss = 0;
  #rows = 0;

  /** Add a batch: its loss by the task's reduction, its loss per example, its rows. */
  add(loss: number, perExample: number, rows: number): void {
    this.#sum += loss;
    this.#last = loss;
    this.#batches++;
    this.#examplesLoss += perExample * rows;
    this.#rows += rows;
  }

  /** The losses so far. */
  losses(): Losses {
    return {
      perExample: this.#examplesLoss / this.#rows,
      lastBatch: this.#last,
      kerasBar: (this.#sum + this.#last) / (this.#batches + 1),
    };
  }

  /** The sums, to go on from a checkpoint. */
  save(): number[] {
    return [this.#sum, this.#last, this.#batches, this.#examplesLoss, this.#rows];
  }

  /** Go on from saved sums. */
  restore(sums: readonly number[]): void {
    [this.#sum, this.#last, this.#batches, this.#examplesLoss, this.#rows] = sums as [
      number,
      number,
      number,
      number,
      number,
    ];
  }
}
