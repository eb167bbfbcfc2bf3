/**
 * The compiled kernels: two WebAssembly builds of one source, chosen once by what the runtime accepts.
 *
 * Only instructions whose result is the same in both builds are used, so the choice changes speed and never a bit.
 */
import type { LinearMemory } from '../memory/linear-memory.ts';
import type { KernelTable, KernelVariant } from './contract.ts';
import { RELAXED_BASE64, SIMD128_BASE64 } from './wasm.generated.ts';

/** The compiled variants. */
export type WasmVariant = Exclude<KernelVariant, 'reference'>;

const BASE64: Record<WasmVariant, string> = { simd128: SIMD128_BASE64, relaxed: RELAXED_BASE64 };

function decode(variant: WasmVariant): Uint8Array<ArrayBuffer> {
  const text = atob(BASE64[variant]);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

/** True where the runtime can run the variant. */
export function isSupported(variant: WasmVariant): boolean {
  return WebAssembly.validate(decode(variant));
}

/** The fastest variant the runtime can run. */
export function bestVariant(): WasmVariant {
  return isSupported('relaxed') ? 'relaxed' : 'simd128';
}

/** Compile a variant; the module can be sent to worker threads. */
export function compileKernels(variant: WasmVariant): WebAssembly.Module {
  return new WebAssembly.Module(decode(variant));
}

/** Bind compiled kernels to a memory. */
export function wasmKernels(module: WebAssembly.Module, memory: LinearMemory): KernelTable {
  const instance = new WebAssembly.Instance(module, { env: { memory: memory.memory } });
  return instance.exports as unknown as KernelTable;
}
