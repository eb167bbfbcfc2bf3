/** The readable reference of every kernel (`shortlist/kernels`). Re-exports only. */

export type { IndexKernelTable, KernelTable, KernelVariant, ModelKernelTable } from '../kernels/contract.ts';
// kernels
export type { FieldType, RecordAddress, RecordDescription } from '../kernels/record.ts';
export { referenceKernels } from '../kernels/reference/index.ts';
export type { WasmVariant } from '../kernels/wasm.ts';
