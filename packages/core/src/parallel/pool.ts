/**
 * The worker pool: splits the work items of a kernel over the threads that share one linear memory.
 *
 * The calling thread works too, and a job never waits for a worker that is still starting. Each work item writes its
 * own output, so the results have the same bits on any number of threads. Where there are no worker threads (thread.ts;
 * `threads: 1`) the same calls run on the caller alone.
 */
import { assert } from '../checks/assert.ts';
import {
  type KernelArguments,
  type KernelTable,
  PARALLEL_KERNELS,
  type ParallelKernelName,
} from '../kernels/contract.ts';
import { type RecordDescription, recordBytes, writeRecord } from '../kernels/record.ts';
import { RECORDS } from '../kernels/records.ts';
import type { LinearMemory } from '../memory/linear-memory.ts';
import {
  ARGUMENTS_MAX,
  ASYNC_RECORD_OFFSET,
  CONTROL,
  controlArguments,
  controlIntegers,
  currentTeam,
  type ItemsKernel,
  nextTeam,
  RECORD_BYTES_MAX,
  RECORD_OFFSET,
  runItems,
  SPINS_MAX,
  workersReady,
} from './control.ts';
import { hasThreads, startThread, type Thread } from './thread.ts';

/** The most threads of a pool. Scratch memory is allocated per thread, so the bound keeps it small. */
export const THREADS_MAX = 64;

/** `Atomics.waitAsync` of ECMAScript 2024: resolves when another thread notifies, without blocking this one. */
type WaitAsync = (integers: Int32Array, at: number, value: number) => { value: Promise<string> | string };

/** The record that a kernel takes, by the kernel's name. */
const RECORD_OF: ReadonlyMap<string, RecordDescription> = new Map(
  RECORDS.map((record) => {
    assert(recordBytes(record) <= RECORD_BYTES_MAX, `pool: the record of ${record.name} is too large`);
    return [record.name, record];
  }),
);

/** A kernel with its work items and arguments, not yet started. */
export interface PoolJob {
  run(): void;
  runAsync(): Promise<void>;
}

/** Runs kernels over work items on up to `threads` threads, including the caller. */
export class Pool {
  readonly threads: number;
  readonly #kernels: KernelTable;
  readonly #module: WebAssembly.Module | undefined;
  readonly #memory: LinearMemory;
  readonly #integers: Int32Array;
  readonly #arguments: Float64Array;
  readonly #maySleep: boolean;
  #workers: Thread[] = [];
  #jobs = 0;
  #isWithoutWorkers = false;
  #underWay: Promise<void> | undefined;

  /** @param module the compiled kernels; without it (the reference table) everything runs on the caller */
  constructor(kernels: KernelTable, memory: LinearMemory, module: WebAssembly.Module | undefined, threads: number) {
    this.#kernels = kernels;
    this.#memory = memory;
    this.#module = module;
    this.threads = module && hasThreads() ? Math.min(threads, THREADS_MAX) : 1;
    this.#integers = controlIntegers(memory.memory);
    this.#arguments = controlArguments(memory.memory);
    this.#maySleep = maySleep(this.#integers);
  }

  /** Jobs run so far: a work counter for tests. */
  get jobs(): number {
    return this.#jobs;
  }

  /** Threads that have started: the caller, and each worker once it runs. */
  get threadsReady(): number {
    return 1 + workersReady(this.#integers);
  }

  /**
   * Run a kernel over `items` work items in grains of `grain`.
   *
   * @param rest the kernel's arguments after `(begin, end, slot)`; for a record, an object with its values, which is
   * copied
   */
  run<K extends ParallelKernelName>(name: K, items: number, grain: number, ...rest: KernelArguments<K>): void {
    const call = this.#kernels[name] as ItemsKernel;
    const numbers = this.#numbers(name, rest, RECORD_OFFSET);
    // While the workers are busy for `runAsync`, the caller does not wait for them.
    if (this.threads === 1 || items <= grain || this.#isWithoutWorkers || this.#underWay) {
      if (items > 0) call(0, items, 0, ...numbers);
      return;
    }
    this.#open(name, items, grain, numbers);
    runItems(this.#integers, call, 0, numbers);
    this.#close();
  }

  /**
   * The arguments as numbers. The values of a record are written to `offset`, and the offset is passed in their place.
   */
  #numbers(name: ParallelKernelName, rest: readonly unknown[], offset: number): readonly number[] {
    const [values] = rest;
    if (typeof values !== 'object') return rest as readonly number[];
    const record = RECORD_OF.get(name);
    assert(record !== undefined, `pool: ${name} has no record`);
    return [writeRecord(this.#memory, record, offset, values as Record<string, number>)];
  }

  /** The job of `run` or `runAsync` with these arguments, to be started later by one of the two. */
  job<K extends ParallelKernelName>(name: K, items: number, grain: number, ...rest: KernelArguments<K>): PoolJob {
    return {
      run: () => this.run(name, items, grain, ...rest),
      runAsync: () => this.runAsync(name, items, grain, ...rest),
    };
  }

  /** True while a job of `runAsync` is under way. */
  get isBusy(): boolean {
    return this.#underWay !== undefined;
  }

  /**
   * Run a kernel on the worker threads only; resolves when they have finished. The caller's thread is free meanwhile: jobs
   * of `runAsync` run one after the other, and a `run` during one of them uses the caller's thread alone. Where no worker
   * has started, or the runtime has no `Atomics.waitAsync`, the job runs on the caller before this returns. The kernel gets
   * the same slot numbers as from `run`.
   */
  async runAsync<K extends ParallelKernelName>(
    name: K,
    items: number,
    grain: number,
    ...rest: KernelArguments<K>
  ): Promise<void> {
    while (this.#underWay) await this.#underWay;
    if (this.threads > 1 && this.#workers.length === 0) this.#start();
    if (this.threadsReady === 1 || !('waitAsync' in Atomics)) {
      this.run(name, items, grain, ...rest);
      return;
    }
    this.#open(name, items, grain, this.#numbers(name, rest, ASYNC_RECORD_OFFSET));
    const done = this.#finishAsync(items);
    this.#underWay = done;
    try {
      await done;
    } finally {
      // This runs before the calls that also await `done` continue, because they began to wait later; they test it
      // first.
      this.#underWay = undefined;
    }
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

  #open(name: ParallelKernelName, items: number, grain: number, rest: readonly number[]): void {
    assert(rest.length <= ARGUMENTS_MAX, `pool: ${name} has ${rest.length} arguments`);
    if (this.#workers.length === 0) this.#start();
    const integers = this.#integers;
    this.#arguments.set(rest);
    integers[CONTROL.argumentCount] = rest.length;
    integers[CONTROL.kernel] = PARALLEL_KERNELS.indexOf(name);
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

  #awaitWorkers(): void {
    const integers = this.#integers;
    for (let spins = 0; ; spins++) {
      const active = Atomics.load(integers, CONTROL.active);
      if (active === 0) break;
      if (spins > SPINS_MAX && this.#maySleep) Atomics.wait(integers, CONTROL.active, active, 1);
    }
    assert(Atomics.exchange(integers, CONTROL.failed, 0) === 0, 'pool: a kernel trapped on a worker thread');
  }

  #start(): void {
    const team = currentTeam(this.#integers);
    for (let slot = 1; slot < this.threads; slot++) {
      this.#workers.push(startThread({ memory: this.#memory.memory, module: this.#module!, slot, team }));
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
