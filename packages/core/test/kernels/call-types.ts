/**
 * Kernel calls that the compiler must refuse. Nothing here runs: `npm run build` fails if a line below
 * `@ts-expect-error` compiles.
 */
import { SCANN_CALL, SCANN_INDEX } from '../../src/kernels/families/scann.ts';
import { type RecordValues, writeRecord } from '../../src/kernels/record.ts';
import { modelPool } from '../../src/parallel/model-pool.ts';
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
  void pool.runAsync('packPanels', 4, 1, 0, 8, 8);
  // @ts-expect-error: the last argument is left out
  pool.job('packPanels', 4, 1, 0, 8, 8).run();
  // @ts-expect-error: the last argument is left out
  kernels.packPanels(0, 4, 0, 0, 8, 8);
}

const clustered = {
  table: 0,
  w: 8,
  ids: 0,
  learned: 0,
  coefficients: 0,
  columns: 4,
  blockRows: 64,
  out: 0,
  outStride: 32,
};

/** Records with a mistake each. */
export function refusedRecords(runtime: Runtime): void {
  const pool = modelPool(runtime);
  pool.run('gatherClustered', 4, 1, clustered);
  const { outStride, ...short } = clustered;
  // @ts-expect-error: a field is left out
  pool.run('gatherClustered', 4, 1, short);
  // @ts-expect-error: a misspelt field
  pool.run('gatherClustered', 4, 1, { ...short, outstride: outStride });
  // @ts-expect-error: the record of another kernel
  pool.run('groupUses', 4, 1, clustered);
  // @ts-expect-error: numbers in place of the record
  pool.run('gatherClustered', 4, 1, 0, 8, 0, 0, 0, 4, 64, 0, 32);
  // @ts-expect-error: a kernel of models on a pool that may not have loaded it
  runtime.pool.run('gatherClustered', 4, 1, clustered);
  // @ts-expect-error: the offset of a record that was not written
  runtime.kernels.searchPanels(0, 4, 0, 1024);
}

/** Records that are written once for many calls. */
export function refusedAddresses(
  { pool, kernels, heap }: Runtime,
  index: RecordValues<typeof SCANN_INDEX>,
  call: RecordValues<typeof SCANN_CALL>,
): void {
  const indexAt = writeRecord(heap.memory, SCANN_INDEX, 1024, index);
  const callAt = writeRecord(heap.memory, SCANN_CALL, 2048, call);
  pool.run('searchScann', 4, 1, indexAt, callAt);
  // @ts-expect-error: the two records are swapped
  pool.run('searchScann', 4, 1, callAt, indexAt);
  // @ts-expect-error: the two records are swapped
  kernels.searchSlots(0, 4, 0, callAt, indexAt);
  // @ts-expect-error: the values of another record
  writeRecord(heap.memory, SCANN_INDEX, 1024, call);
}
