/** A table of items as the attributes of a bundle's candidates. */
import { coverageOf, type ItemTable, joinItems, readItems } from '@shortlist/data';
import type { JsonObject } from 'shortlist/format';
import { count } from '../terminal/format-numbers.ts';
import type { Terminal } from '../terminal/terminal.ts';

/** Options of a command line that name a table of items, as `parseArgs` takes them. */
export const ITEM_OPTIONS = {
  items: { type: 'string' },
  'id-column': { type: 'string' },
  'title-column': { type: 'string' },
  'list-columns': { type: 'string' },
} as const;

/** The result of `parseArgs`. */
export type ItemValues = { readonly [Name in keyof typeof ITEM_OPTIONS]?: string | undefined } & {
  readonly strict?: boolean | undefined;
};

/** The table of items, read once what its identifiers must be is known; says what was understood of it. */
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
  if (log.broken > log.firstBroken.length) terminal.note(`${count(log.broken)} rows are left out altogether`);
  if (coverage.withoutMetadata > 0) {
    terminal.note(`${count(coverage.withoutMetadata)} candidates have no row there, such as ${coverage.examples[0]}`);
  }
  return items;
}

/**
 * The columns of a table in the order of the candidates, and what they hold, as a server takes them from the metadata of a
 * bundle (docs/format.md).
 */
export function attributeMetadata(items: ItemTable, identifiers: readonly string[]): JsonObject {
  const columns = joinItems(items, identifiers);
  return {
    attributes: Object.fromEntries(columns.map(({ name, values }) => [name, values])),
    attributeKinds: Object.fromEntries(columns.map(({ name, kind }) => [name, kind])),
  };
}
