/**
 * Dense CQR for least squares: the algorithm whose convergence is proved.
 *
 *   T₀ = 0;  H = [T_i | N];  M = argmin ‖X·H·M − Y‖²;  T_{i+1} = H·M
 *
 * Source: the CCE paper (NeurIPS 2023), algorithm 1 and theorem 3.1: with N normal,
 *   E‖X·T_i − Y‖² ≤ (1 − ρ)^(i·k) ‖X·T*‖² + ‖X·T* − Y‖²,   ρ = σ_min(X)² / ‖X‖²_F.
 * Smart noise N = R⁻¹·G (X = Q·R, G normal) makes X·N uniform in the column space of X, so that every X converges as one
 * with equal singular values, (1 − 1/d1)^(i·k). Half-smart fixes M = [I ; M'], only the new columns are fitted, and then
 *   E excess_i = (1 − k/d1)^i ‖X·T*‖²   exactly, by projection on a uniform k-subspace.
 * Letters: n rows of X, d1 columns of X (the vocabulary), d2 columns of Y (the embedding), k noise columns per step.
 *
 * The data enter through R and QᵀY alone: ‖X·T − Y‖² = ‖R·T − QᵀY‖² + const. X needs full column rank.
 */

import { checkArgument } from '../checks/arguments.ts';
import { checkInteger, checkOneOf } from '../checks/numbers.ts';
import { instanceOf, NUMBER, optionsCheck, required, STRING } from '../checks/options.ts';
import { ShapeError } from '../errors/errors.ts';
import { Generator } from '../random/generator.ts';
import { DENSE, Dense, multiply, squaredNorm } from './dense.ts';
import { factorize, leastSquares, multiplyTransposedQ, solveUpper } from './qr.ts';

/** Options of the random columns that are added, and of the coefficients that are fitted. */
export type CqrNoise = 'normal' | 'smart' | 'half-smart';

/** Options of a run. */
export interface DenseCqrOptions {
  noise?: CqrNoise;
  /** Random columns per step, k. */
  columns: number;
  steps: number;
  generator: Generator;
}

const checkOptions = optionsCheck<DenseCqrOptions>('denseCqr', {
  noise: STRING,
  columns: required(NUMBER),
  steps: required(NUMBER),
  generator: required(instanceOf('a Generator', () => Generator)),
});

/** The measurements of a run. */
export interface DenseCqrRun {
  /** excess[i] = (‖X·T_i − Y‖² − ‖X·T* − Y‖²) / ‖X·T*‖², i = 0 … steps; 1 at i = 0. */
  excess: number[];
  /** T after the last step, [d1, d2]. */
  t: Dense;
}

/**
 * Run dense CQR on X [n, d1] and Y [n, d2].
 *
 * @throws {ShapeError} when X and Y differ in rows or X has deficient column rank
 * @throws {OptionError} when columns or steps are not positive integers
 */
export function denseCqr(x: Dense, y: Dense, options: DenseCqrOptions): DenseCqrRun {
  checkArgument('x', x, DENSE);
  checkArgument('y', y, DENSE);
  const { noise = 'smart', columns, steps, generator } = checkOptions(options);
  checkOneOf('noise', noise, ['normal', 'smart', 'half-smart']);
  checkInteger('columns', columns, 1, x.columns);
  checkInteger('steps', steps, 1);
  if (x.rows !== y.rows) throw new ShapeError(`y: expected ${x.rows} rows, got ${y.rows}`);
  const factors = factorize(x, { pivoting: false });
  if (factors.rank < x.columns) {
    throw new ShapeError(`x: expected full column rank ${x.columns}, got rank ${factors.rank}`);
  }
  const { r } = factors;
  const target = multiplyTransposedQ(factors, y);
  const scale = squaredNorm(target);
  let t = new Dense(x.columns, y.columns);
  const excess = [1];
  for (let step = 0; step < steps; step++) {
    const normal = Dense.normal(x.columns, columns, generator);
    const random = noise === 'normal' ? normal : solveUpper(r, normal);
    t = noise === 'half-smart' ? addFitted(r, target, t, random) : fitAll(r, target, t, random);
    excess.push(squaredNorm(multiply(r, t), target) / scale);
  }
  return { excess, t };
}

/** T ← [T | N]·M with M fitted as a whole. */
function fitAll(r: Dense, target: Dense, t: Dense, random: Dense): Dense {
  const h = Dense.beside(t, random);
  return multiply(h, leastSquares(multiply(r, h), target));
}

/** T ← T + N·M' with M' fitted to what T leaves. */
function addFitted(r: Dense, target: Dense, t: Dense, random: Dense): Dense {
  const left = target.clone();
  const reached = multiply(r, t);
  for (let i = 0; i < left.data.length; i++) left.data[i] = left.data[i]! - reached.data[i]!;
  const step = multiply(random, leastSquares(multiply(r, random), left));
  for (let i = 0; i < step.data.length; i++) step.data[i] = step.data[i]! + t.data[i]!;
  return step;
}
