/** Files for tests, in a folder that is removed after the test. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { ReadLog } from '../src/bytes/read-log.ts';
import type { Cell } from '../src/columns/cell.ts';
import type { TableOptions } from '../src/tables/contract.ts';
import { openTable } from '../src/tables/open-table.ts';

/** A file of the folder test/golden. */
export const golden = (name: string): string => fileURLToPath(new URL(`../../test/golden/${name}`, import.meta.url));

/** Write a file that the test removes; returns its path. */
export function fileOf(t: TestContext, name: string, content: string | Uint8Array): string {
  const folder = mkdtempSync(join(tmpdir(), 'shortlist-data-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

/** All rows of a table, the lines in which they begin, and the log. */
export async function readAll(
  path: string,
  options: TableOptions & { strict?: boolean } = {},
): Promise<{ names: readonly string[]; rows: Cell[][]; lines: number[]; log: ReadLog; description: string }> {
  const { strict = false, ...tableOptions } = options;
  const table = await openTable(path, tableOptions);
  const log = new ReadLog(path, { strict });
  const rows: Cell[][] = [];
  const lines: number[] = [];
  for await (const batch of table.batches({ log })) {
    for (let row = 0; row < batch.rows; row++) {
      rows.push(batch.columns.map((cells) => cells[row]!));
      lines.push(batch.lineOf(row));
    }
  }
  return { names: table.columns, rows, lines, log, description: table.description };
}

/** The folder of real data, or undefined. */
export const DATA: string | undefined = process.env.SHORTLIST_DATA;
/** For `test(name, { skip })` of tests that need it. */
export const NEEDS_DATA: string | false = DATA === undefined ? 'SHORTLIST_DATA is not set' : false;
