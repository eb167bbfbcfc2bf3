/**
 * Locks of embedding tables. Only one `fit`, clustering or quantization may use a table at a time, because two would
 * read rows that the other has written in part. A second one throws an error that names the first.
 */

import { checkArgument } from '../checks/arguments.ts';
import { objectWith } from '../checks/options.ts';
import { StateError } from '../errors/errors.ts';
import type { EmbeddingTable } from './contract.ts';

/** The lock that a piece of work holds on its tables. */
export interface TableLock {
  readonly what: string;
  readonly tables: readonly EmbeddingTable[];
  /** True while the tables may be saved, because the work awaits a callback of its caller. */
  isSavable: boolean;
}

const TABLE = objectWith('an embedding table', 'vocabularySize', 'rows', 'applyGradient');

/** A table that a program passes. @throws {OptionError} when it is none */
export function checkTable<T extends EmbeddingTable>(table: T): T {
  return checkArgument('table', table, TABLE);
}

const locks = new WeakMap<EmbeddingTable, TableLock>();
/** Saves under way that take several turns of the event loop, by table. */
const saves = new WeakMap<EmbeddingTable, Set<Promise<unknown>>>();

/**
 * Run work that locks its tables until it has ended.
 *
 * @throws {StateError} when other work or a save is under way on one of the tables
 */
export async function exclusively<T>(
  what: string,
  tables: readonly EmbeddingTable[],
  work: (lock: TableLock) => Promise<T>,
): Promise<T> {
  for (const table of tables) {
    checkTable(table);
    const other = locks.get(table);
    if (other)
      throw new StateError(`${what}: expected tables that are not in use, got one on which ${other.what} is under way`);
    if (saves.get(table)?.size)
      throw new StateError(`${what}: expected tables that are not in use, got one that is being saved`);
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
 * Check that tables may be saved now.
 *
 * @throws {StateError} when work on one of the tables is under way and does not await its caller
 */
export function checkSavable(tables: readonly EmbeddingTable[]): void {
  for (const table of tables) {
    const lock = locks.get(table);
    if (lock && !lock.isSavable) {
      throw new StateError(`save: expected tables that are not in use, got one on which ${lock.what} is under way`);
    }
  }
}

/** Run a save that takes several turns of the event loop. Until it has ended, no other work on its tables begins or continues. */
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
