/**
 * Implicit ALS: computes factors of users and items whose product is near 1 where a user chose an item and near 0
 * elsewhere, by minimising
 *
 *   Σ_observed w (1 − uᵀv)² + α Σ_all (uᵀv)² + λ (Σ_u (|I_u| + α |I|)^ν |u|² + Σ_i (|U_i| + α |U|)^ν |v|²)
 *
 * Users and items are solved exactly in turn, and at the end the users once more, with recency (recency.ts). Letters: u
 * and v factors, w weight of an observed pair, α, λ and ν as in solver.ts, I_u the items of user u, U_i the users of
 * item i. Source: Hu, Koren, Volinsky, "Collaborative filtering for implicit feedback datasets", ICDM 2008; the
 * weighting and the scaled regularization as Rendle, Krichene, Zhang, Koren, "Revisiting the performance of iALS on
 * item recommendation benchmarks", RecSys 2022. Work of an iteration with N interactions, d dimensions: N d² + (users +
 * items) d³/6 multiplications and additions. The same bits for any number of threads.
 */
import { checkInteger, checkNumber, checkPositive } from '../checks/numbers.ts';
import { FUNCTION, instanceOf, NUMBER, optionsCheck, SIGNAL } from '../checks/options.ts';
import { checkInteractions, type Interactions } from '../data/interactions.ts';
import { ShapeError } from '../errors/errors.ts';
import { defaultRuntime, RUNTIME, type Runtime } from '../parallel/runtime.ts';
import { AlsFit, type AlsModel } from './als-fit.ts';
import { FoldIn } from './fold-in.ts';
import type { AlsObjective } from './solver.ts';
import { checkWidth } from './warm-start.ts';

/** Options of `fitAls`. */
export interface AlsOptions extends Partial<AlsObjective> {
  /** d; default 64. */
  dimensions?: number;
  /** Iterations, each of which solves both sides; default 15. */
  iterations?: number;
  /** Seed of the initial factors, which are normal with standard deviation 0.1 / √d as in Rendle et al.; default 42. */
  seed?: number;
  runtime?: Runtime;
  /**
   * An earlier model. Items that it knows start from its factors. Users and items of the vocabularies that have no
   * interaction keep its factors.
   */
  from?: FoldIn | undefined;
  /** Called after every iteration, from 1. */
  onIteration?: (iteration: number, iterations: number) => void;
  /** Stops between two blocks of rows with an `AbortedError`. */
  signal?: AbortSignal | undefined;
}

const checkOptions = optionsCheck<AlsOptions>('fitAls', {
  dimensions: NUMBER,
  unobservedWeight: NUMBER,
  regularization: NUMBER,
  exponent: NUMBER,
  recencyHalfLife: NUMBER,
  iterations: NUMBER,
  seed: NUMBER,
  from: instanceOf('a FoldIn', () => FoldIn),
  runtime: RUNTIME,
  onIteration: FUNCTION,
  signal: SIGNAL,
});

/**
 * Fit implicit ALS.
 *
 * @throws {ShapeError} when there is no interaction
 * @throws {OptionError} when an option is out of range, or the earlier model has other dimensions
 * @throws {DivergedError} when a factor is not finite, because the regularization or the unobserved weight is too small
 * @throws {AbortedError} when the signal is raised
 */
export async function fitAls(interactions: Interactions, options: AlsOptions = {}): Promise<AlsModel> {
  checkInteractions(interactions);
  checkOptions(options);
  const {
    dimensions = 64,
    iterations = 15,
    seed = 42,
    from,
    runtime = defaultRuntime(),
    onIteration,
    signal,
  } = options;
  checkInteger('dimensions', dimensions, 1);
  checkInteger('iterations', iterations, 1);
  if (interactions.length === 0) throw new ShapeError('interactions: expected at least one, got none');
  if (from) checkWidth(from, dimensions);
  const objective = objectiveOf(options);
  const fit = new AlsFit(interactions, { dimensions, objective, seed, from, runtime });
  try {
    for (let iteration = 1; iteration <= iterations; iteration++) {
      await fit.iterate(signal);
      onIteration?.(iteration, iterations);
    }
    return await fit.model(signal);
  } finally {
    fit.free();
  }
}

/** The objective of options, with the defaults of `fitAls`. */
export function objectiveOf(options: Partial<AlsObjective>): AlsObjective {
  const { unobservedWeight = 0.1, regularization = 0.003, exponent = 1, recencyHalfLife = 0 } = options;
  checkNumber('unobservedWeight', unobservedWeight, 0);
  checkPositive('regularization', regularization);
  checkNumber('exponent', exponent, 0, 2);
  checkNumber('recencyHalfLife', recencyHalfLife, 0);
  return { unobservedWeight, regularization, exponent, recencyHalfLife };
}
