/**
 * The two-tower model: a query tower, a candidate tower, a task and an optimizer. `fit` and `evaluate` are its verbs
 * (fit.ts, evaluate.ts); a step is here.
 *
 * Source: TFRS `models/base.py` and the basic retrieval tutorial.
 */
import { ShapeError } from '../errors/errors.ts';
import { Adagrad } from '../optimizers/adagrad.ts';
import type { SparseOptimizer } from '../optimizers/contract.ts';
import type { Features, Tower } from '../towers/tower.ts';
import type { EncodedBatch, RetrievalDataset } from './dataset.ts';
import { type EvaluateOptions, type Evaluation, evaluate } from './evaluate.ts';
import { type FitOptions, fit, type History } from './fit.ts';
import type { StepFigures } from './losses.ts';
import { Retrieval } from './task.ts';

/** Parts of a model; task and optimizer have the tutorial's defaults. */
export interface TwoTowerOptions<Q extends Features, C extends Features> {
  queryTower: Tower<Q>;
  candidateTower: Tower<C>;
  task?: Retrieval;
  optimizer?: SparseOptimizer;
}

/** Two towers that learn to meet. */
export class TwoTowerModel<Q extends Features = string, C extends Features = string> {
  readonly queryTower: Tower<Q>;
  readonly candidateTower: Tower<C>;
  readonly task: Retrieval;
  readonly optimizer: SparseOptimizer;

  /** @throws {ShapeError} when the towers' vectors differ in width */
  constructor({
    queryTower,
    candidateTower,
    task = new Retrieval(),
    optimizer = new Adagrad(),
  }: TwoTowerOptions<Q, C>) {
    if (queryTower.dimensions !== candidateTower.dimensions) {
      throw new ShapeError(
        `towers: expected vectors of one width, got ${queryTower.dimensions} and ${candidateTower.dimensions}`,
      );
    }
    this.queryTower = queryTower;
    this.candidateTower = candidateTower;
    this.task = task;
    this.optimizer = optimizer;
  }

  /** Train on interactions; see `FitOptions`. */
  fit(dataset: RetrievalDataset<Q, C>, options: FitOptions<Q, C> = {}): Promise<History> {
    return fit(this, dataset, options);
  }

  /** Losses and metrics on interactions; see `EvaluateOptions`. */
  evaluate(dataset: RetrievalDataset<Q, C>, options: EvaluateOptions = {}): Promise<Evaluation> {
    return evaluate(this, dataset, options);
  }

  /** The loss of a batch; with `learn` both towers are stepped. */
  step(batch: EncodedBatch, learn: boolean): StepFigures {
    const queries = this.queryTower.distinct(batch.queryIds);
    const candidates = this.candidateTower.distinct(batch.candidateIds);
    const sides = {
      queries: this.queryTower.forward(queries.ids),
      candidates: this.candidateTower.forward(candidates.ids),
      queryOf: queries.groupOf,
      candidateOf: candidates.groupOf,
      sampleWeight: batch.sampleWeight,
      candidateSamplingProbability: batch.candidateSamplingProbability,
      candidateIds: batch.identifiers ?? candidates.groupOf,
    };
    const { queryGradients, candidateGradients, ...result } = this.task.compute(sides, { learn });
    if (learn && Number.isFinite(result.loss)) {
      this.queryTower.backward(queryGradients, this.optimizer);
      this.candidateTower.backward(candidateGradients, this.optimizer);
    }
    queryGradients.free();
    candidateGradients.free();
    return result;
  }
}
