/**
 * The compiled kernels: each set of kernels has two WebAssembly builds of one source. The faster one that the runtime
 * accepts is used.
 *
 * The kernels only use instructions that have the same result in both builds, so the choice affects the speed but no
 * result. The fused products of dense layers are the exception (docs/decisions/fused-products.md).
 */
import type { KernelTable, KernelVariant } from './contract.ts';
import { INDEX_KERNELS } from './index-kernels.ts';
import type { KernelSet } from './kernel-set.ts';
import { fromText } from './wasm-text.ts';

/** The compiled variants. */
export type WasmVariant = Exclude<KernelVariant, 'reference'>;

/** The bytes of a variant of a set. */
export function kernelBytes({ text }: Pick<KernelSet, 'text'>, variant: WasmVariant): Uint8Array<ArrayBuffer> {
  const simd128 = fromText(text.simd128);
  if (variant === 'simd128') return simd128;
  let at = 0;
  const pieces = text.relaxedPatch.flatMap(([skipped, length, added]) => {
    const begin = at + skipped;
    at = begin + length;
    return [simd128.subarray(begin, at), fromText(added)];
  });
  const bytes = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let end = 0;
  for (const piece of pieces) {
    bytes.set(piece, end);
    end += piece.length;
  }
  return bytes;
}

/** Answers of `isSupported`: to validate the kernels takes 1 ms, and each segment of an index asks. */
const supported: Map<WasmVariant, boolean> = new Map();

/** True where the runtime can run the variant. */
export function isSupported(variant: WasmVariant): boolean {
  let answer = supported.get(variant);
  if (answer === undefined) {
    answer = WebAssembly.validate(kernelBytes(INDEX_KERNELS, variant));
    supported.set(variant, answer);
  }
  return answer;
}

/** The fastest variant the runtime can run. */
export function bestVariant(): WasmVariant {
  return isSupported('relaxed') ? 'relaxed' : 'simd128';
}

/** Compile a variant of a set; the module can be sent to worker threads. */
export function compileKernels(set: KernelSet, variant: WasmVariant): WebAssembly.Module {
  return new WebAssembly.Module(kernelBytes(set, variant));
}

/** Bind the compiled kernels of a set to a memory. */
export function wasmKernels(module: WebAssembly.Module, memory: WebAssembly.Memory): Partial<KernelTable> {
  // Imported only by kernels with assertions (`npm run build -- --debug-kernels`).
  const abort = (message: number, file: number, line: number): never => {
    throw new Error(`kernel: ${textAt(memory, message)} (${textAt(memory, file)}:${line})`);
  };
  const instance = new WebAssembly.Instance(module, { env: { memory, abort } });
  // WebAssembly has no types of functions: a test calls every kernel of the table on every variant.
  return instance.exports as Partial<KernelTable>;
}

/** A string of AssemblyScript: UTF-16, with its length in bytes in the four bytes before it; offset 0 means no string. */
function textAt({ buffer }: WebAssembly.Memory, offset: number): string {
  if (offset === 0) return '?';
  const [sizeBytes] = new Uint32Array(buffer, offset - 4, 1);
  return String.fromCharCode(...new Uint16Array(buffer, offset, sizeBytes! / 2));
}
