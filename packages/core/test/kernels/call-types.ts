/**
 * What the compiler refuses of a kernel call. Nothing here runs: `npm run build` fails when a line below `@ts-expect-error`
 * compiles.
 */
import type { Runtime } from '../../src/parallel/runtime.ts';

/** Calls with a mistake each. */
export function refusedCalls({ pool, kernels }: Runtime): void {
  pool.run('packPanels', 4, 1, 0, 8, 8, 64);
  // @ts-expect-error: the last argument is left out
  pool.run('packPanels', 4, 1, 0, 8, 8);
  // @ts-expect-error: one argument too many
  pool.run('packPanels', 4, 1, 0, 8, 8, 64, 64);
  // @ts-expect-error: a misspelt kernel
  pool.run('packPanel', 4, 1, 0, 8, 8, 64);
  // @ts-expect-error: a kernel without work items
  pool.run('offerPanels', 4, 1, 0, 8, 8, 64);
  // @ts-expect-error: an argument that is no number
  pool.run('packPanels', 4, 1, 0, 8, 8, '64');
  // @ts-expect-error: the last argument is left out
  void pool.runAside('packPanels', 4, 1, 0, 8, 8);
  // @ts-expect-error: the last argument is left out
  pool.job('packPanels', 4, 1, 0, 8, 8).run();
  // @ts-expect-error: the last argument is left out
  kernels.packPanels(0, 4, 0, 0, 8, 8);
}
