/** Prints the results of a search with the attributes that the bundle holds, as a table or as one JSON object a line. */
import type { Bundle, Identifier, TopKResult } from 'shortlist';
import { table } from '../terminal/format-numbers.ts';
import type { Environment } from '../terminal/terminal.ts';

type Value = string | number | boolean | null | readonly (string | number)[];
/** The columns of attributes, the title first; each has one value for each row of the index. */
export type AttributeColumns = [name: string, cells: readonly Value[]][];

/** Write the results of a search, best first. */
export function writeHits(
  result: TopKResult<Identifier>,
  columns: AttributeColumns,
  { json, stdout }: { json: boolean; stdout: Environment['stdout'] },
): void {
  const rows = result.rowsOf();
  const hits = result.hits().map(({ identifier, score }, i) => ({
    identifier: typeof identifier === 'bigint' ? String(identifier) : identifier,
    score,
    attributes: Object.fromEntries(columns.map(([name, cells]) => [name, cells[rows[i]!] ?? null])),
  }));
  if (json) {
    for (const hit of hits) stdout.write(`${JSON.stringify(hit)}\n`);
    return;
  }
  const head = ['', 'identifier', 'score', ...columns.map(([name]) => name)];
  const body = hits.map(({ identifier, score, attributes }, i) => [
    String(i + 1),
    String(identifier),
    score.toFixed(4),
    ...columns.map(([name]) => short(attributes[name] ?? null)),
  ]);
  for (const line of table([head, ...body])) stdout.write(`${line}\n`);
}

/** The columns of attributes of a bundle. */
export function attributesOf<Q>({ metadata, index }: Bundle<Q, Identifier>): AttributeColumns {
  const { attributes } = metadata;
  if (typeof attributes !== 'object' || attributes === null || Array.isArray(attributes)) return [];
  const columns = Object.entries(attributes).filter((entry): entry is [string, Value[]] => {
    const [, cells] = entry;
    return Array.isArray(cells) && cells.length === index.size;
  });
  const isTitle = (name: string): number => (/title|name/i.test(name) ? 0 : 1);
  return columns.sort(([a], [b]) => isTitle(a) - isTitle(b));
}

function short(value: Value): string {
  const text = value === null ? '' : Array.isArray(value) ? value.join(', ') : String(value);
  return text.length > 40 ? `${text.slice(0, 39)}…` : text;
}
