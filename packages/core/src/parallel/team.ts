/**
 * The worker threads of one or several linear memories. A job is a kernel of one of the memories with its work items;
 * jobs run one after another, whichever memory they work on.
 *
 * The control block (control.ts) is in the first memory. A thread has instances of the kernels for each memory that the
 * team had when the thread started. If a job names a memory that was added later, or a set of kernels was loaded later,
 * the team starts new threads, and the old ones end by themselves.
 */
import { assert } from '../checks/assert.ts';
import type { KernelSet } from '../kernels/kernel-set.ts';
import type { KernelMemory } from '../kernels/segments/segment.ts';
import { compileKernels, type WasmVariant } from '../kernels/wasm.ts';
import type { LinearMemory } from '../memory/linear-memory.ts';
import {
  ARGUMENTS_MAX,
  CONTROL,
  controlArguments,
  controlIntegers,
  currentTeam,
  type ItemsKernel,
  nextTeam,
  runItems,
  SPINS_MAX,
  workersReady,
} from './control.ts';
import { hasThreads, startThread, type Thread } from './thread.ts';
import { WORKER_PROGRAM } from './worker-program.generated.ts';

/** The most threads of a team. Scratch memory is allocated per thread, so the bound keeps it small. */
export const THREADS_MAX = 64;

/** `Atomics.waitAsync` of ECMAScript 2024: resolves when another thread notifies, without blocking this one. */
type WaitAsync = (integers: Int32Array, at: number, value: number) => { value: Promise<string> | string };

/** A kernel of one memory, with its work items and arguments. */
export interface Job {
  call: ItemsKernel;
  /** The number of the memory; COMPOSED for a search over several memories. */
  memory: number;
  /** The largest number of a memory that the kernel reads. */
  lastMemory: number;
  /** The program of the worker threads that can run the job; undefined: every program can. */
  program?: string | undefined;
  /** The number of the kernel in the team's list of kernels. */
  kernel: number;
  items: number;
  /** Work items that a thread claims at a time. */
  grain: number;
  numbers: readonly number[];
}

/** A set of kernels that a team has loaded. */
interface LoadedSet {
  /** The compiled kernels; undefined for readable ones. */
  module: WebAssembly.Module | undefined;
  /** The number of the set's first kernel. */
  first: number;
}

/** Runs jobs on up to `threads` threads, including the caller. */
export class Team {
  readonly threads: number;
  readonly #variant: WasmVariant | undefined;
  readonly #sets: Map<KernelSet, LoadedSet> = new Map();
  /** The kernels of the sets, by number. */
  readonly #names: string[] = [];
  readonly #integers: Int32Array;
  readonly #arguments: Float64Array;
  readonly #maySleep: boolean;
  /** The memories by number; undefined for a memory that has left. */
  readonly #memories: (KernelMemory | undefined)[] = [];
  #workers: Thread[] = [];
  /** The workers know the memories whose number is below this. */
  #known = 0;
  /** The program of the next worker threads. A program of searches over segments also runs all other jobs. */
  #program: string = WORKER_PROGRAM;
  /** Whether a set of kernels was loaded, or the program changed, after the workers started. */
  #isOutdated = false;
  #jobs = 0;
  #isWithoutWorkers = false;
  #underWay: Promise<void> | undefined;

  /**
   * @param memory the first memory
   * @param variant of the compiled kernels; without it (the reference table) everything runs on the caller
   */
  constructor(memory: LinearMemory, variant: WasmVariant | undefined, threads: number) {
    this.#variant = variant;
    this.threads = variant && hasThreads() ? Math.min(threads, THREADS_MAX) : 1;
    this.#integers = controlIntegers(memory.memory);
    this.#arguments = controlArguments(memory.memory);
    this.#maySleep = maySleep(this.#integers);
  }

  /** The kernels of a set, compiled once for all memories of the team. */
  load(set: KernelSet): LoadedSet {
    const known = this.#sets.get(set);
    if (known) return known;
    const loaded = { module: this.#variant && compileKernels(set, this.#variant), first: this.#names.length };
    this.#sets.set(set, loaded);
    this.#names.push(...set.parallel);
    this.#isOutdated = this.#workers.length > 0;
    return loaded;
  }

  /** Add a memory to the team; returns its number. */
  join(memory: KernelMemory): number {
    return this.#memories.push(memory) - 1;
  }

  /** The memory with a number. */
  readonly memoryOf = (number: number): KernelMemory => {
    const memory = this.#memories[number];
    assert(memory !== undefined, `team: memory ${number} has left`);
    return memory;
  };

  /** Remove a memory from the team, so that it can be garbage collected when the threads that know it have ended. */
  leave(memory: number): void {
    this.#memories[memory] = undefined;
    if (memory < this.#known) this.stop();
  }

  /** Jobs that were split over threads so far: a work counter for tests. */
  get jobs(): number {
    return this.#jobs;
  }

  /** Threads that have started: the caller, and each worker once it runs. */
  get threadsReady(): number {
    return 1 + workersReady(this.#integers);
  }

  /** True while a job of `runAsync` is under way. */
  get isBusy(): boolean {
    return this.#underWay !== undefined;
  }

  /** Run a job on all threads; returns when it has ended. */
  run(job: Job): void {
    const { call, items, grain, numbers } = job;
    // While the workers are busy for `runAsync`, the caller does not wait for them.
    if (this.threads === 1 || items <= grain || this.#isWithoutWorkers || this.#underWay) {
      if (items > 0) call(0, items, 0, ...numbers);
      return;
    }
    this.#open(job);
    runItems(this.#integers, call, 0, numbers);
    this.#close();
  }

  /**
   * Run a job on the worker threads only; resolves when they have finished. The caller's thread is free meanwhile: jobs
   * of `runAsync` run one after the other, and a `run` during one of them uses the caller's thread alone. Where no worker
   * has started, or the runtime has no `Atomics.waitAsync`, the job runs on the caller before this returns.
   *
   * @param prepare makes the job when its turn has come; called with false where the job is to be run by `run`
   * @param needs what the threads of the job need
   */
  async runAsync(prepare: (isAsync: boolean) => Job, needs: Pick<Job, 'lastMemory' | 'program'>): Promise<void> {
    while (this.#underWay) await this.#underWay;
    if (this.threads > 1) this.#startFor(needs);
    if (this.threadsReady === 1 || !('waitAsync' in Atomics)) {
      this.run(prepare(false));
      return;
    }
    const job = prepare(true);
    this.#open(job);
    const done = this.#finishAsync(job.items);
    this.#underWay = done;
    try {
      await done;
    } finally {
      // This runs before the calls that also await `done` continue, because they began to wait later; they test it
      // first.
      this.#underWay = undefined;
    }
  }

  /** Call `work` and run all its jobs on this thread only, for work that is as short as waking the workers. */
  withoutWorkers<T>(work: () => T): T {
    const before = this.#isWithoutWorkers;
    this.#isWithoutWorkers = true;
    try {
      return work();
    } finally {
      this.#isWithoutWorkers = before;
    }
  }

  /** Stop the worker threads, after a job of `runAsync` that is under way; the next job starts new ones. */
  stop(): void {
    if (this.#underWay) {
      const again = (): void => this.stop();
      void this.#underWay.then(again, again);
      return;
    }
    this.#workers = [];
    nextTeam(this.#integers);
    this.#wake(this.#nextGeneration());
  }

  async #finishAsync(items: number): Promise<void> {
    const integers = this.#integers;
    const { waitAsync } = Atomics as typeof Atomics & { waitAsync: WaitAsync };
    const [worker] = this.#workers;
    // A promise alone does not keep the process alive; a worker does.
    worker?.ref?.();
    for (;;) {
      const left = Atomics.load(integers, CONTROL.left);
      // Every item was claimed, and all workers have left.
      if (Atomics.load(integers, CONTROL.nextItem) >= items && Atomics.load(integers, CONTROL.active) === 0) break;
      await waitAsync(integers, CONTROL.left, left).value;
    }
    worker?.unref?.();
    this.#close();
  }

  #open(job: Job): void {
    const { memory, kernel, items, grain, numbers } = job;
    assert(numbers.length <= ARGUMENTS_MAX, `team: kernel ${kernel} has ${numbers.length} arguments`);
    this.#startFor(job);
    const integers = this.#integers;
    this.#arguments.set(numbers);
    integers[CONTROL.argumentCount] = numbers.length;
    integers[CONTROL.memory] = memory;
    integers[CONTROL.kernel] = kernel;
    integers[CONTROL.items] = items;
    integers[CONTROL.grain] = grain;
    Atomics.store(integers, CONTROL.nextItem, 0);
    const generation = this.#nextGeneration();
    Atomics.store(integers, CONTROL.open, generation);
    this.#wake(generation);
  }

  #nextGeneration(): number {
    return (this.#integers[CONTROL.generation]! % 0x7fff_ffff) + 1;
  }

  /** Wake every idle worker, so that it looks at the control block. */
  #wake(generation: number): void {
    Atomics.store(this.#integers, CONTROL.generation, generation);
    Atomics.notify(this.#integers, CONTROL.generation);
  }

  #close(): void {
    Atomics.store(this.#integers, CONTROL.open, 0);
    this.#awaitWorkers();
    this.#jobs++;
  }

  #awaitWorkers(): void {
    const integers = this.#integers;
    for (let spins = 0; ; spins++) {
      const active = Atomics.load(integers, CONTROL.active);
      if (active === 0) break;
      if (spins > SPINS_MAX && this.#maySleep) Atomics.wait(integers, CONTROL.active, active, 1);
    }
    assert(Atomics.exchange(integers, CONTROL.failed, 0) === 0, 'team: a kernel trapped on a worker thread');
  }

  /** Start workers that know a memory and all kernels and run a program, unless they run already. */
  #startFor({ lastMemory, program }: Pick<Job, 'lastMemory' | 'program'>): void {
    if (program !== undefined && program !== this.#program) {
      this.#program = program;
      this.#isOutdated = true;
    }
    if (this.#workers.length > 0 && lastMemory < this.#known && !this.#isOutdated) return;
    if (this.#workers.length > 0) this.stop();
    this.#isOutdated = false;
    this.#known = this.#memories.length;
    const memories = this.#memories.map((each) => each?.memory.memory);
    const team = currentTeam(this.#integers);
    const modules = [...this.#sets.values()].map(({ module }) => module!);
    for (let slot = 1; slot < this.threads; slot++) {
      this.#workers.push(startThread({ memories, modules, names: this.#names, slot, team }, this.#program));
    }
  }
}

/** False on the main thread of a browser, which may not sleep. */
function maySleep(integers: Int32Array): boolean {
  try {
    // Returns at once: the number of failures is never negative.
    Atomics.wait(integers, CONTROL.failed, -1, 0);
    return true;
  } catch {
    return false;
  }
}
