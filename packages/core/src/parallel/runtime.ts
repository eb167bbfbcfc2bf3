/**
 * The runtime: one heap, one table of kernels and one pool of threads. Several runtimes may share their threads. All
 * classes and functions that compute take a runtime as an option.
 *
 * The default runtime is made at first use, with the fastest kernels and as many threads as the machine offers; the
 * environment variable SHORTLIST_THREADS sets another number. Tests make their own runtimes with other variants and
 * numbers of threads.
 */
import { checkInteger, checkOneOf } from '../checks/numbers.ts';
import { FUNCTION, instanceOf, NUMBER, type OptionType, optionsCheck, STRING } from '../checks/options.ts';
import { OptionError } from '../errors/errors.ts';
import type {
  IndexKernelName,
  IndexKernelTable,
  KernelTable,
  KernelVariant,
  ParallelKernelName,
} from '../kernels/contract.ts';
import { INDEX_KERNELS } from '../kernels/index-kernels.ts';
import type { KernelSet } from '../kernels/kernel-set.ts';
import { bestVariant, isSupported, type WasmVariant, wasmKernels } from '../kernels/wasm.ts';
import { Heap } from '../memory/heap.ts';
import type { LinearMemory } from '../memory/linear-memory.ts';
import { Pool } from './pool.ts';
import { Team, THREADS_MAX } from './team.ts';

/** Options of a runtime. */
export interface RuntimeOptions {
  /** The variant of the compiled kernels; default the fastest that the machine can run. */
  variant?: WasmVariant;
  /**
   * Kernels that replace the compiled ones, on one thread: `referenceKernels`, the readable implementation. The option
   * is a function and not a name, so that a bundler leaves the reference out of programs that do not use it.
   */
  kernels?: (memory: LinearMemory) => KernelTable;
  /** Threads, including the caller's; default the machine's, at most 64. */
  threads?: number;
}

const checkOptions = optionsCheck<RuntimeOptions>('Runtime', { variant: STRING, kernels: FUNCTION, threads: NUMBER });

/** The type of the option `runtime`. */
export const RUNTIME: OptionType = instanceOf('a Runtime', () => Runtime);

/** One heap with the kernels and the pool of threads that work on it. */
export class Runtime {
  readonly variant: KernelVariant;
  readonly heap: Heap;
  /** The kernels of indexes; `load` adds other sets. */
  readonly kernels: IndexKernelTable;
  readonly pool: Pool;
  /** The options with which the kernels were chosen; a runtime that is made with this one as `main` uses them too. */
  readonly #options: RuntimeOptions;
  readonly #kernels: Partial<KernelTable>;
  readonly #loaded: Set<KernelSet> = new Set();

  /**
   * @param main a runtime whose kernels and threads also work on the memory of this one; its options are used in place
   * of `options`
   * @throws {OptionError} when an option is unknown, the variant cannot run here or the thread count is out of range
   */
  constructor(options: RuntimeOptions = {}, main?: Runtime) {
    this.#options = main ? main.#options : options;
    const { variant = bestVariant(), kernels, threads = defaultThreads() } = checkOptions(this.#options);
    checkOneOf('variant', variant, ['simd128', 'relaxed']);
    checkInteger('threads', threads, 1, THREADS_MAX);
    if (!isSupported(variant)) throw new OptionError(`variant: expected one this runtime can run, got ${variant}`);
    this.variant = kernels ? 'reference' : variant;
    this.heap = new Heap();
    const { memory } = this.heap;
    this.#kernels = kernels ? kernels(memory) : {};
    this.kernels = this.#kernels as IndexKernelTable;
    const team = main?.pool.team ?? new Team(memory, kernels ? undefined : variant, threads);
    this.pool = new Pool(memory, team, this.kernels);
    this.load(INDEX_KERNELS);
  }

  /** Load the kernels of a set, unless they are loaded. @returns the pool, which can then run them too */
  load<N extends ParallelKernelName>(set: KernelSet<N>): Pool<IndexKernelName | N> {
    if (!this.#loaded.has(set)) {
      this.#loaded.add(set);
      const { module, first } = this.pool.team.load(set);
      if (module) Object.assign(this.#kernels, wasmKernels(module, this.heap.memory.memory));
      this.pool.add(set, first, this.#kernels);
    }
    return this.pool as unknown as Pool<IndexKernelName | N>;
  }
}

/** Threads by default: SHORTLIST_THREADS, else what the machine offers, at most 64. */
function defaultThreads(): number {
  const { process, navigator } = globalThis as {
    process?: {
      env: Record<string, string | undefined>;
      getBuiltinModule?: (name: string) => { availableParallelism(): number };
    };
    navigator?: { hardwareConcurrency?: number };
  };
  const asked = process?.env.SHORTLIST_THREADS;
  if (asked !== undefined && asked !== '') return checkInteger('SHORTLIST_THREADS', Number(asked), 1, THREADS_MAX);
  const offered = process?.getBuiltinModule?.('node:os').availableParallelism() ?? navigator?.hardwareConcurrency ?? 1;
  return Math.min(THREADS_MAX, offered);
}

let shared: Runtime | undefined;

/** The default runtime, made at first use. */
export function defaultRuntime(): Runtime {
  shared ??= new Runtime();
  return shared;
}
