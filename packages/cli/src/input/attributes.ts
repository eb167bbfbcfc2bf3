/** A table of items as the attributes of a bundle's candidates. */
import { coverageOf, joinItems, readItems } from '@shortlist/data';
import type { Json, JsonObject } from 'shortlist/format';
import { count } from '../terminal/figures.ts';
import type { Terminal } from '../terminal/terminal.ts';

/** Columns of a table in the order of the candidates, as a server takes them; says what was understood of the table. */
export async function attributesOf(
  identifiers: readonly string[],
  values: { items?: string; 'id-column'?: string; 'title-column'?: string; strict?: boolean },
  terminal: Terminal,
): Promise<JsonObject> {
  const path = values.items!;
  const { items, description, identifierColumn, log } = await readItems(path, {
    known: identifiers,
    identifierColumn: values['id-column'],
    titleColumn: values['title-column'],
    strict: values.strict,
  });
  const coverage = coverageOf(items, identifiers);
  const columns = joinItems(items, identifiers);
  const shown = columns.map(({ name, kind }) => `${name} (${kind})`).join(', ');
  terminal.note(`${path}: ${description}, ${count(items.identifiers.length)} items by ${identifierColumn}: ${shown}`);
  for (const note of log.notes) terminal.note(note);
  for (const { line, reason } of log.firstBroken) terminal.note(`${path}:${line}: left out: ${reason}`);
  if (coverage.withoutMetadata > 0) {
    terminal.note(`${count(coverage.withoutMetadata)} candidates have no row there, such as ${coverage.examples[0]}`);
  }
  const lists = columns.filter(({ kind }) => kind === 'list').map(({ name }) => name);
  if (lists.length > 0) terminal.note(`lists are kept as text with bars between their words: ${lists.join(', ')}`);
  return Object.fromEntries(
    columns.map(({ name, values: cells }) => [
      name,
      cells.map((cell): Json => (Array.isArray(cell) ? cell.join('|') : (cell as Json))),
    ]),
  );
}
