/** Reads a table of items, and turns its columns into the attributes of a bundle's candidates. */
import { coverageOf, type ItemTable, joinItems, readItems } from '@shortlist/data';
import type { JsonObject } from 'shortlist/format';
import { count } from '../terminal/format-numbers.ts';
import type { Terminal } from '../terminal/terminal.ts';

/** The options about a table of items, for `parseArgs`. */
export const ITEM_OPTIONS = {
  items: { type: 'string' },
  'id-column': { type: 'string' },
  'title-column': { type: 'string' },
  'list-columns': { type: 'string' },
} as const;

/** The values of these options, as `parseArgs` returns them. */
export type ItemValues = { readonly [Name in keyof typeof ITEM_OPTIONS]?: string | undefined } & {
  readonly strict?: boolean | undefined;
};

/** Reads the table of items and prints its recognised columns. `known` are the identifiers that it should have. */
export async function readItemTable(
  known: readonly string[],
  values: ItemValues & { readonly items: string },
  signal: AbortSignal,
  terminal: Pick<Terminal, 'note'>,
): Promise<ItemTable> {
  const path = values.items;
  const { items, description, identifierColumn, log } = await readItems(path, {
    known,
    identifierColumn: values['id-column'],
    titleColumn: values['title-column'],
    listColumns: values['list-columns']?.split(',').filter((name) => name !== ''),
    strict: values.strict,
    signal,
  });
  const coverage = coverageOf(items, known);
  const shown = items.columns.map(({ name, kind }) => `${name} (${kind})`).join(', ');
  terminal.note(`${path}: ${description}, ${count(items.identifiers.length)} items by ${identifierColumn}: ${shown}`);
  for (const note of log.notes) terminal.note(note);
  for (const { line, reason } of log.firstBroken) terminal.note(`${path}:${line}: left out: ${reason}`);
  if (log.broken > log.firstBroken.length) terminal.note(`${count(log.broken)} rows are left out in total`);
  if (coverage.withoutMetadata > 0) {
    terminal.note(
      `${count(coverage.withoutMetadata)} candidates have no row in ${path}, for example ${coverage.examples[0]}`,
    );
  }
  return items;
}

/** Reads a table of users, as a table of items is read. `known` are the identifiers that it should have. */
export async function readUserTable(
  known: readonly string[],
  path: string,
  signal: AbortSignal,
  terminal: Pick<Terminal, 'note'>,
): Promise<ItemTable> {
  const { items: users, description, identifierColumn, log } = await readItems(path, { known, signal });
  const shown = users.columns.map(({ name, kind }) => `${name} (${kind})`).join(', ');
  terminal.note(`${path}: ${description}, ${count(users.identifiers.length)} users by ${identifierColumn}: ${shown}`);
  for (const note of log.notes) terminal.note(note);
  for (const { line, reason } of log.firstBroken) terminal.note(`${path}:${line}: left out: ${reason}`);
  return users;
}

/**
 * The columns of a table in the order of the candidates, with their kinds, in the form of a bundle's metadata
 * (docs/format.md).
 */
export function attributeMetadata(items: ItemTable, identifiers: readonly string[]): JsonObject {
  const columns = joinItems(items, identifiers);
  return {
    attributes: Object.fromEntries(columns.map(({ name, values }) => [name, values])),
    attributeKinds: Object.fromEntries(columns.map(({ name, kind }) => [name, kind])),
  };
}
