/**
 * The worker pool of one linear memory: splits the work items of a kernel over the threads of a team (team.ts), which
 * may also work on other memories.
 *
 * The calling thread works too, and a job never waits for a worker that is still starting. Each work item writes its
 * own output, so the results have the same bits on any number of threads. Where there are no worker threads (thread.ts;
 * `threads: 1`) the same calls run on the caller alone.
 */
import { assert } from '../checks/assert.ts';
import type {
  IndexKernelName,
  IndexKernelTable,
  KernelArguments,
  KernelTable,
  ParallelKernelName,
} from '../kernels/contract.ts';
import type { KernelSet } from '../kernels/kernel-set.ts';
import { type RecordDescription, recordBytes, writeRecord } from '../kernels/record.ts';
import type { LinearMemory } from '../memory/linear-memory.ts';
import { ASYNC_RECORD_OFFSET, type ItemsKernel, RECORD_BYTES_MAX, RECORD_OFFSET } from './control.ts';
import type { Job, Team } from './team.ts';

/** A kernel that the pool can split: its number in the team, and the record that it takes. */
interface PoolKernel {
  number: number;
  call: ItemsKernel;
  record: RecordDescription | undefined;
}

/** A kernel with its work items and arguments, not yet started. */
export interface PoolJob {
  run(): void;
  runAsync(): Promise<void>;
}

/**
 * Runs kernels of one memory over work items on up to `threads` threads, including the caller. `N` is the type of the
 * names of the kernels that the pool can run: the kernels of indexes, and those of the sets that were loaded.
 */
export class Pool<N extends ParallelKernelName = IndexKernelName> {
  readonly team: Team;
  /** The number of the memory in the team. */
  readonly memoryNumber: number;
  readonly #kernels: Map<string, PoolKernel> = new Map();
  readonly #memory: LinearMemory;

  /**
   * The pool has no kernels until `add`.
   *
   * @param kernels the table to which the kernels of indexes are added
   */
  constructor(memory: LinearMemory, team: Team, kernels: IndexKernelTable) {
    this.team = team;
    this.#memory = memory;
    this.memoryNumber = team.join({ memory, kernels });
  }

  /**
   * Add the kernels of a set.
   *
   * @param first the number of the set's first kernel in the team
   * @param table the kernels as functions that work on the memory of the pool
   */
  add({ parallel, records }: KernelSet, first: number, table: Partial<KernelTable>): void {
    for (const [i, name] of parallel.entries()) {
      const record = records.find((description) => description.name === name);
      assert(!record || recordBytes(record) <= RECORD_BYTES_MAX, `pool: the record of ${name} is too large`);
      this.#kernels.set(name, { number: first + i, call: table[name] as ItemsKernel, record });
    }
  }

  /** Threads that a job may run on, including the caller. */
  get threads(): number {
    return this.team.threads;
  }

  /** Jobs of the team that were split over threads so far: a work counter for tests. */
  get jobs(): number {
    return this.team.jobs;
  }

  /** Threads that have started: the caller, and each worker once it runs. */
  get threadsReady(): number {
    return this.team.threadsReady;
  }

  /** True while a job of `runAsync` is under way. */
  get isBusy(): boolean {
    return this.team.isBusy;
  }

  /**
   * Run a kernel over `items` work items in grains of `grain`.
   *
   * @param rest the kernel's arguments after `(begin, end, slot)`; for a record, an object with its values, which is
   * copied
   */
  run<K extends N>(name: K, items: number, grain: number, ...rest: KernelArguments<K>): void {
    this.team.run(this.#job(name, items, grain, rest, RECORD_OFFSET));
  }

  /**
   * Run a kernel on the worker threads only; resolves when they have finished. The caller's thread is free meanwhile: jobs
   * of `runAsync` run one after the other, and a `run` during one of them uses the caller's thread alone. Where no worker
   * has started, or the runtime has no `Atomics.waitAsync`, the job runs on the caller before this returns. The kernel gets
   * the same slot numbers as from `run`.
   */
  async runAsync<K extends N>(name: K, items: number, grain: number, ...rest: KernelArguments<K>): Promise<void> {
    const job = (isAsync: boolean): Job =>
      this.#job(name, items, grain, rest, isAsync ? ASYNC_RECORD_OFFSET : RECORD_OFFSET);
    await this.team.runAsync(job, { lastMemory: this.memoryNumber });
  }

  /** The job of `run` or `runAsync` with these arguments, to be started later by one of the two. */
  job<K extends N>(name: K, items: number, grain: number, ...rest: KernelArguments<K>): PoolJob {
    return {
      run: () => this.run(name, items, grain, ...rest),
      runAsync: () => this.runAsync(name, items, grain, ...rest),
    };
  }

  /** Call `work` and run all its jobs on this thread only, for work that is as short as waking the workers. */
  withoutWorkers<T>(work: () => T): T {
    return this.team.withoutWorkers(work);
  }

  /** Stop the worker threads, after a job of `runAsync` that is under way; the next job starts new ones. */
  stop(): void {
    this.team.stop();
  }

  /** Remove the memory of this pool from the team; the pool can run no job afterwards. */
  leave(): void {
    this.team.leave(this.memoryNumber);
  }

  /** The values of a record are written to `recordOffset`, and the offset is passed in their place. */
  #job(name: string, items: number, grain: number, rest: readonly unknown[], recordOffset: number): Job {
    const kernel = this.#kernels.get(name);
    assert(kernel !== undefined, `pool: the kernel ${name} is not loaded`);
    const { call, number, record } = kernel;
    const [values] = rest;
    let numbers = rest as readonly number[];
    if (typeof values === 'object') {
      assert(record !== undefined, `pool: ${name} has no record`);
      numbers = [writeRecord(this.#memory, record, recordOffset, values as Record<string, number>)];
    }
    return { call, memory: this.memoryNumber, lastMemory: this.memoryNumber, kernel: number, items, grain, numbers };
  }
}
