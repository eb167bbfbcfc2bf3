/**
 * The control block through which the main thread hands work to the worker threads: a few integers in the shared
 * memory, written and read with Atomics, so that a round trip costs microseconds and no message.
 *
 * Jobs run one at a time. A job is a kernel of one of the team's memories, its arguments and a number of work items;
 * threads claim grains of items until none is left. GENERATION counts jobs, and idle workers wait for it to change;
 * OPEN holds the generation whose items may be claimed, and ACTIVE the number of workers that read or run it. The main
 * thread closes a job (OPEN = 0), then waits until ACTIVE is 0. A worker adds itself to ACTIVE before it reads OPEN;
 * atomic operations have one order, so either the main thread sees the worker in ACTIVE and waits for it, or the worker
 * sees that the job is closed and leaves. So no worker ever runs a kernel with the arguments of another job. LEFT
 * counts how often a worker has left a job; a main thread that must not block waits for it to change.
 *
 * The workers that are started together have a team number (an object `Team` uses one number after another). TEAM holds
 * the current team number and how many of its workers have started. A worker is never killed: if it died while ACTIVE
 * counts it, the main thread would wait for it forever. Instead, `Team.stop` makes the next number current. A worker
 * reads TEAM after it has added itself to ACTIVE, and ends when its own number is no longer current. So two workers of
 * the same slot never work on one job.
 */
import { CONTROL_OFFSET } from '../memory/linear-memory.ts';

/** Positions in the control block, in int32. */
export const CONTROL = {
  generation: 0,
  open: 1,
  active: 2,
  kernel: 3,
  nextItem: 4,
  items: 5,
  grain: 6,
  argumentCount: 7,
  team: 8,
  failed: 9,
  left: 10,
  memory: 11,
} as const;

/** The value of `memory` for a job that searches the memories of several segments. */
export const COMPOSED = -1;
const CONTROL_INTEGERS = 16;
/**
 * TEAM is the number of the team times this constant, plus the number of its workers that have started; a pool has
 * fewer threads.
 */
const TEAM_SIZE_MAX = 128;
const TEAMS = 2 ** 24;
/** The most arguments of a kernel after `(begin, end, slot)`; a kernel with more takes a record. */
export const ARGUMENTS_MAX = 8;

/** Byte offset of the record of a job of `run`; the one of `runAsync` is separate, since both kinds of job may run at once. */
export const RECORD_OFFSET: number = CONTROL_OFFSET + 1024;
export const ASYNC_RECORD_OFFSET: number = RECORD_OFFSET + 512;
/** The most bytes of a record. */
export const RECORD_BYTES_MAX = 512;

/**
 * Idle workers and a waiting main thread read the control block this many times before they sleep: about 20 µs, a
 * typical gap between jobs.
 */
export const SPINS_MAX = 5_000;

/** The number of the current team. */
export function currentTeam(integers: Int32Array): number {
  return Math.floor(Atomics.load(integers, CONTROL.team) / TEAM_SIZE_MAX);
}

/** The number of workers of the current team that have started. */
export function workersReady(integers: Int32Array): number {
  return Atomics.load(integers, CONTROL.team) % TEAM_SIZE_MAX;
}

/** Make the next team current; none of its workers has started yet. */
export function nextTeam(integers: Int32Array): void {
  Atomics.store(integers, CONTROL.team, ((currentTeam(integers) + 1) % TEAMS) * TEAM_SIZE_MAX);
}

/** Count a worker as started; false when its team is no longer current. */
export function joinTeam(integers: Int32Array, team: number): boolean {
  for (;;) {
    const before = Atomics.load(integers, CONTROL.team);
    if (Math.floor(before / TEAM_SIZE_MAX) !== team) return false;
    if (Atomics.compareExchange(integers, CONTROL.team, before, before + 1) === before) return true;
  }
}

/** The integers of the control block. */
export function controlIntegers(memory: WebAssembly.Memory): Int32Array {
  return new Int32Array(memory.buffer, CONTROL_OFFSET, CONTROL_INTEGERS);
}

/** The arguments of the job as float64, which holds every offset, count and float32 exactly. */
export function controlArguments(memory: WebAssembly.Memory): Float64Array {
  return new Float64Array(memory.buffer, CONTROL_OFFSET + 4 * CONTROL_INTEGERS, ARGUMENTS_MAX);
}

/** A kernel as the threads call it: with any number of arguments. */
export type ItemsKernel = (begin: number, end: number, slot: number, ...rest: readonly number[]) => void;

/** Claim and run grains of the open job until none is left. */
export function runItems(integers: Int32Array, call: ItemsKernel, slot: number, rest: readonly number[]): void {
  const items = integers[CONTROL.items]!;
  const grain = integers[CONTROL.grain]!;
  for (;;) {
    const begin = Atomics.add(integers, CONTROL.nextItem, grain);
    if (begin >= items) return;
    call(begin, Math.min(begin + grain, items), slot, ...rest);
  }
}
