/**
 * One work at a time on an embedding table: a second `fit`, a clustering or a quantization that began meanwhile would read
 * and write half of each other's rows. The second caller is refused with an error that names the work under way.
 */
import { StateError } from '../errors/errors.ts';
import type { EmbeddingTable } from './contract.ts';

/** Work that is under way on some tables. */
export interface TableLock {
  readonly what: string;
  readonly tables: readonly EmbeddingTable[];
  /** Whether the tables may be saved: the work waits for its caller just now. */
  isSavable: boolean;
}

const locks = new WeakMap<EmbeddingTable, TableLock>();
/** Saves that read a table over several turns of the event loop. */
const saves = new WeakMap<EmbeddingTable, Set<Promise<unknown>>>();

/**
 * Do work on tables that nothing else works on until it has ended.
 *
 * @throws {StateError} when something else is under way on one of them
 */
export async function exclusively<T>(
  what: string,
  tables: readonly EmbeddingTable[],
  work: (lock: TableLock) => Promise<T>,
): Promise<T> {
  for (const table of tables) {
    const other = locks.get(table);
    if (other) throw new StateError(`${what}: expected tables that nothing works on, got ${other.what} under way`);
    if (saves.get(table)?.size)
      throw new StateError(`${what}: expected tables that nothing reads, got a save under way`);
  }
  const lock: TableLock = { what, tables, isSavable: false };
  for (const table of tables) locks.set(table, lock);
  try {
    return await work(lock);
  } finally {
    for (const table of tables) locks.delete(table);
  }
}

/**
 * Refuse to save tables that change meanwhile.
 *
 * @throws {StateError} when something is under way on one of them that does not wait
 */
export function checkSavable(tables: readonly EmbeddingTable[]): void {
  for (const table of tables) {
    const lock = locks.get(table);
    if (lock && !lock.isSavable) {
      throw new StateError(`save: expected tables that nothing works on, got ${lock.what} under way`);
    }
  }
}

/** Run a save that reads tables over several turns of the event loop: until it has ended no work on them begins or goes on. */
export async function whileSaving(tables: readonly EmbeddingTable[], save: () => Promise<void>): Promise<void> {
  checkSavable(tables);
  const saving = save();
  for (const table of tables) {
    if (!saves.has(table)) saves.set(table, new Set());
    saves.get(table)!.add(saving);
  }
  try {
    await saving;
  } finally {
    for (const table of tables) saves.get(table)!.delete(saving);
  }
}

/** Resolves when no save reads the tables any more. */
export async function savesEnded(tables: readonly EmbeddingTable[]): Promise<void> {
  for (const table of tables) {
    for (let under = saves.get(table); under?.size; ) await Promise.allSettled(under);
  }
}
