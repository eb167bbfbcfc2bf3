// Exports the kernels of products of matrices, in the order in which src/kernels/contract.ts lists them.
export { multiplyRows, multiplyTransposed } from './multiply';
