/** Resets of optimizer states after the rows of a table got another meaning. */
import type { Matrix } from '../vectors/matrix.ts';

/** Give the states of rows [from, to) their mean. */
export function meanState(state: Matrix, from: number, to: number): void {
  const rows = state.data.subarray(from * state.dimensions, to * state.dimensions);
  rows.fill(rows.reduce((sum, value) => sum + value, 0) / rows.length);
}
