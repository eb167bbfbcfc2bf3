/**
 * Attributes as a bundle's metadata holds them: `{"attributes": {"category": ["shoes", null, …], …}}`, one list a column
 * with one value a row of the index.
 */
import { DataError } from 'shortlist';
import { AttributeTable, type AttributeValue } from './table.ts';

/** Columns by name, one value a row. */
export type AttributeColumns = { readonly [name: string]: readonly AttributeValue[] };

/** The table that columns describe. @throws {DataError} when a column has the wrong length or mixes kinds */
export function tableOfColumns(columns: unknown, rows: number): AttributeTable {
  const table = new AttributeTable();
  if (columns === undefined) return table;
  if (typeof columns !== 'object' || columns === null) throw new DataError('attributes: expected an object of columns');
  for (const [name, values] of Object.entries(columns)) {
    if (!Array.isArray(values) || values.length !== rows) {
      throw new DataError(`attributes.${name}: expected ${rows} values, one a candidate`);
    }
    table.addColumn(name, values as AttributeValue[]);
  }
  return table;
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
