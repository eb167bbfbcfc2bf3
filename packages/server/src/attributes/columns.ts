/**
 * Attributes as a bundle's metadata holds them: `{"attributes": {"category": ["shoes", null, …], …}}`, one list a column
 * with one value a row of the index, and `{"attributeKinds": {"released": "date", …}}`, what the columns hold. A column
 * whose kind is not named, as in bundles of older versions, holds what its first value is.
 */
import { DataError } from 'shortlist';
import { AttributeTable } from './table.ts';
import { ATTRIBUTE_KINDS, type AttributeKind, type AttributeValue } from './values.ts';

/** Columns by name, one value a row. */
export type AttributeColumns = { readonly [name: string]: readonly AttributeValue[] };

/** Kinds of columns by name. */
export type AttributeKinds = { readonly [name: string]: AttributeKind };

/**
 * The table that columns describe.
 *
 * @throws {DataError} when a column has the wrong length, mixes kinds or is said to be of a kind that there is not
 */
export function tableOfColumns(columns: unknown, rows: number, kinds?: unknown): AttributeTable {
  const table = new AttributeTable();
  if (columns === undefined) return table;
  if (!isObject(columns)) throw new DataError('attributes: expected an object of columns');
  if (kinds !== undefined && !isObject(kinds)) throw new DataError('attributeKinds: expected an object of kinds');
  const known = new Map(Object.entries(kinds ?? {}));
  for (const [name, values] of Object.entries(columns)) {
    if (!Array.isArray(values) || values.length !== rows) {
      throw new DataError(`attributes.${name}: expected ${rows} values, one a candidate`);
    }
    table.addColumn(name, values as AttributeValue[], checkKind(name, known.get(name)));
  }
  return table;
}

const isObject = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function checkKind(name: string, kind: unknown): AttributeKind | undefined {
  if (kind === undefined || ATTRIBUTE_KINDS.includes(kind as AttributeKind)) return kind as AttributeKind | undefined;
  throw new DataError(
    `attributeKinds.${name}: expected one of ${ATTRIBUTE_KINDS.join(', ')}, got ${JSON.stringify(kind)}`,
  );
}

/** The columns of the first `rows` rows of a table. */
export function columnsOfTable(table: AttributeTable, rows: number): AttributeColumns {
  return Object.fromEntries(
    table.names.map((name) => {
      const column = table.columns.get(name);
      return [name, Array.from({ length: rows }, (_, row) => column?.get(row) ?? null)];
    }),
  );
}

/** The kinds of columns: of those that have a value, and of dates, which their values do not tell from text. */
export function kindsOfTable(table: AttributeTable, columns: AttributeColumns): AttributeKinds {
  const kinds: [string, AttributeKind][] = [];
  for (const [name, { kind }] of table.columns) {
    if (kind === 'date' || columns[name]!.some((value) => value !== null)) kinds.push([name, kind]);
  }
  return Object.fromEntries(kinds);
}
