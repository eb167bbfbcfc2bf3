/**
 * The two-tower model: a query tower, a candidate tower, a task and an optimizer. `fit` and `evaluate` are its verbs
 * (fit.ts, evaluate.ts), a batch its unit of work (step.ts).
 *
 * Source: TFRS `models/base.py` and the basic retrieval tutorial.
 */
import { instanceOf, OBJECT, optionsCheck, required } from '../checks/options.ts';
import { OptionError, ShapeError } from '../errors/errors.ts';
import { Adagrad } from '../optimizers/adagrad.ts';
import type { SparseOptimizer } from '../optimizers/contract.ts';
import { boundOptimizer, type OptimizerOption } from '../optimizers/parameter-groups.ts';
import type { BiasColumns } from '../towers/bias-columns.ts';
import { TOWER, type Tower } from '../towers/tower.ts';
import type { Features } from '../towers/tower-inputs.ts';
import type { EncodedDataset, RetrievalDataset } from './dataset.ts';
import { type EvaluateOptions, type Evaluation, evaluate } from './evaluate.ts';
import { fit } from './fit.ts';
import type { FitOptions } from './fit-options.ts';
import type { History } from './history.ts';
import type { StepLosses } from './losses.ts';
import { namedParameters } from './parameters.ts';
import type { RetrievalSource } from './source.ts';
import { type ModelParts, step } from './step.ts';
import { Retrieval } from './task.ts';

/** Parts of a model; task and optimizer have the tutorial's defaults. */
export interface TwoTowerOptions<Q extends Features, C extends Features> {
  queryTower: Tower<Q>;
  candidateTower: Tower<C>;
  task?: Retrieval;
  /** An optimizer, or plain JSON: `{ method: 'adam' }`, or groups `{ tables: …, layers: …, features: … }`. */
  optimizer?: OptimizerOption;
}

const checkOptions = optionsCheck<TwoTowerOptions<never, never>>('TwoTowerModel', {
  queryTower: required(TOWER),
  candidateTower: required(TOWER),
  task: instanceOf('a Retrieval task', () => Retrieval),
  optimizer: OBJECT,
});

/** A two-tower model: a query tower and a candidate tower trained together. */
export class TwoTowerModel<Q extends Features = string, C extends Features = string> implements ModelParts<Q, C> {
  readonly queryTower: Tower<Q>;
  readonly candidateTower: Tower<C>;
  readonly task: Retrieval;
  readonly optimizer: SparseOptimizer;

  /**
   * @throws {OptionError} when a tower is missing, or an option unknown, or the towers differ in their biases
   * @throws {ShapeError} when the towers' vectors differ in width
   */
  constructor(options: TwoTowerOptions<Q, C>) {
    const { queryTower, candidateTower, task = new Retrieval(), optimizer = new Adagrad() } = checkOptions(options);
    if (queryTower.dimensions !== candidateTower.dimensions) {
      throw new ShapeError(
        `towers: expected vectors of one width, got ${queryTower.dimensions} and ${candidateTower.dimensions}`,
      );
    }
    checkBiases(queryTower, candidateTower, task);
    this.queryTower = queryTower;
    this.candidateTower = candidateTower;
    this.task = task;
    this.optimizer = boundOptimizer(optimizer, namedParameters(this));
  }

  /** Train on interactions, in memory or from a source; see `FitOptions`. */
  fit(dataset: RetrievalDataset<Q, C> | RetrievalSource<Q, C>, options: FitOptions<Q, C> = {}): Promise<History> {
    return fit(this, dataset, options);
  }

  /** Losses and metrics on interactions; see `EvaluateOptions`. */
  evaluate(dataset: RetrievalDataset<Q, C>, options: EvaluateOptions = {}): Promise<Evaluation> {
    return evaluate(this, dataset, options);
  }

  /**
   * The loss of a batch; with `learn` both towers are stepped.
   *
   * @param trainingStep the number of the step, from which dropout draws; pass another one for each step
   */
  step(batch: EncodedDataset, learn: boolean, trainingStep = 0): StepLosses {
    return step(this, batch, learn, trainingStep);
  }
}

/** Refuse towers whose columns of biases do not meet, and biases of queries for a loss that does not depend on them. */
function checkBiases<Q extends Features, C extends Features>(
  { biases: queries }: Tower<Q>,
  { biases: candidates }: Tower<C>,
  { loss }: Retrieval,
): void {
  if (!queries && !candidates) return;
  const named = (biases: BiasColumns | undefined): string =>
    biases ? `biases of ${biases.of} on the ${biases.side} side` : 'none';
  if (queries?.side !== 'query' || candidates?.side !== 'candidate' || queries.of !== candidates.of) {
    const got = `${named(queries)} in queryTower and ${named(candidates)} in candidateTower`;
    throw new OptionError(`towers: expected biases of the same rows, each on the side of its tower, got ${got}`);
  }
  if (queries.of === 'both' && loss !== 'cosine-contrastive') {
    const reason = `the loss '${loss}' does not depend on the biases of queries`;
    throw new OptionError(`biases.of: expected 'candidates', because ${reason}, got 'both'`);
  }
}
