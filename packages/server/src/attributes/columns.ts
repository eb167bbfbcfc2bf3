/**
 * Attributes as a bundle's metadata holds them: `{"attributes": {"category": ["shoes", null, …], …}}`, one list per
 * column with one value per row of the index, and `{"attributeKinds": {"released": "date", …}}`, the kinds of the
 * columns. A column without a kind, as in bundles of older versions, has the kind of its first value.
 */
import { DataError } from 'shortlist';
import { memberStep } from '../status/place.ts';
import { shown } from '../status/shown.ts';
import { AttributeTable } from './table.ts';
import { ATTRIBUTE_KINDS, type AttributeKind, type AttributeValue, attributePlace } from './values.ts';

/** Columns by name, with one value per row. */
export type AttributeColumns = { readonly [name: string]: readonly AttributeValue[] };

/** Kinds of columns by name. */
export type AttributeKinds = { readonly [name: string]: AttributeKind };

/**
 * The table that columns describe.
 *
 * @throws {DataError} when a column has the wrong length or values of several kinds, or when its kind is unknown
 */
export function tableOfColumns(columns: unknown, rows: number, kinds?: unknown): AttributeTable {
  const table = new AttributeTable();
  if (columns === undefined) return table;
  if (!isObject(columns)) throw new DataError(`attributes: expected an object of columns, got ${shown(columns)}`);
  if (kinds !== undefined && !isObject(kinds)) {
    throw new DataError(`attributeKinds: expected an object of kinds, got ${shown(kinds)}`);
  }
  const known = new Map(Object.entries(kinds ?? {}));
  for (const [name, values] of Object.entries(columns)) {
    if (!Array.isArray(values) || values.length !== rows) {
      const got = Array.isArray(values) ? values.length : shown(values);
      throw new DataError(`${attributePlace(name)}: expected ${rows} values, one per candidate, got ${got}`);
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
    `attributeKinds${memberStep(name)}: expected one of ${ATTRIBUTE_KINDS.join(', ')}, got ${JSON.stringify(kind)}`,
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

/**
 * The kinds of the columns that have a value or hold dates. Dates must be named, because their values look like text.
 */
export function kindsOfTable(table: AttributeTable, columns: AttributeColumns): AttributeKinds {
  const kinds: [string, AttributeKind][] = [];
  for (const [name, { kind }] of table.columns) {
    if (kind === 'date' || columns[name]!.some((value) => value !== null)) kinds.push([name, kind]);
  }
  return Object.fromEntries(kinds);
}
