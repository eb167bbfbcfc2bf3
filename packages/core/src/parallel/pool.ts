/**
 * The worker pool of one linear memory: splits the work items of a kernel over the threads of a team (team.ts), which
 * may also work on other memories.
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
import { ASYNC_RECORD_OFFSET, type ItemsKernel, RECORD_BYTES_MAX, RECORD_OFFSET } from './control.ts';
import type { Job, Team } from './team.ts';

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

/** Runs kernels of one memory over work items on up to `threads` threads, including the caller. */
export class Pool {
  readonly team: Team;
  readonly #kernels: KernelTable;
  readonly #memory: LinearMemory;
  /** The number of the memory in the team. */
  readonly #number: number;

  constructor(kernels: KernelTable, memory: LinearMemory, team: Team) {
    this.team = team;
    this.#kernels = kernels;
    this.#memory = memory;
    this.#number = team.join(memory);
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
  run<K extends ParallelKernelName>(name: K, items: number, grain: number, ...rest: KernelArguments<K>): void {
    this.team.run(this.#job(name, items, grain, this.#numbers(name, rest, RECORD_OFFSET)));
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
    const job = (isAside: boolean): Job =>
      this.#job(name, items, grain, this.#numbers(name, rest, isAside ? ASYNC_RECORD_OFFSET : RECORD_OFFSET));
    await this.team.runAsync(job, this.#number);
  }

  /** The job of `run` or `runAsync` with these arguments, to be started later by one of the two. */
  job<K extends ParallelKernelName>(name: K, items: number, grain: number, ...rest: KernelArguments<K>): PoolJob {
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

  /** End the team's work on this memory; no job of this pool may follow. */
  leave(): void {
    this.team.leave(this.#number);
  }

  #job(name: ParallelKernelName, items: number, grain: number, numbers: readonly number[]): Job {
    const call = this.#kernels[name] as ItemsKernel;
    return { call, memory: this.#number, kernel: PARALLEL_KERNELS.indexOf(name), items, grain, numbers };
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
}
