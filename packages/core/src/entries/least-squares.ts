/**
 * The least squares of the CQR paper (`shortlist/least-squares`): algorithms 1 and 2, and the rate of theorem 3.1.
 * Re-exports only.
 */

// least-squares
export { rho } from '../least-squares/conditioning.ts';
export { Dense } from '../least-squares/dense.ts';
export { type CqrNoise, type DenseCqrOptions, type DenseCqrRun, denseCqr } from '../least-squares/dense-cqr.ts';
export { type SparseCqrOptions, sparseCqr } from '../least-squares/sparse-cqr.ts';
