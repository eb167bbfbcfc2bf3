/**
 * A set of kernels: the kernels that are compiled to one WebAssembly module, the names that the pool can run, and their
 * records.
 *
 * A bundler leaves out a set that no code of a program uses. A module is compiled at the first use of its set.
 */
import type { ParallelKernelName } from './contract.ts';
import type { RecordDescription } from './record.ts';

/** The two builds of a module as text; scripts/wasm-module.mjs documents how they are stored. */
export interface KernelText {
  /** The SIMD128 build. */
  readonly simd128: string;
  /**
   * The relaxed build: pieces that are copied from the SIMD128 build, each with the bytes skipped before it (negative: to
   * go back) and bytes that follow it.
   */
  readonly relaxedPatch: readonly (readonly [skipped: number, length: number, added: string])[];
}

/** Kernels of one module. `N` is the type of the names of the kernels that the pool can split. */
export interface KernelSet<N extends ParallelKernelName = ParallelKernelName> {
  readonly text: KernelText;
  /** The kernels that the pool can split. */
  readonly parallel: readonly N[];
  /** The records that its kernels take. */
  readonly records: readonly RecordDescription[];
}
