/**
 * A table of items: one row per item, named columns of text, numbers, booleans, dates and lists.
 */

/** A value of an item. Dates are text as ISO 8601 writes them, so that they order and print as they are. */
export type ItemValue = string | number | boolean | readonly (string | number)[] | null;

/** The contents of a column. */
export type ItemColumnKind = 'text' | 'number' | 'boolean' | 'date' | 'list';

/** A column of items. */
export interface ItemColumn {
  readonly name: string;
  readonly kind: ItemColumnKind;
  /** One entry an item. */
  readonly values: readonly ItemValue[];
}

/** Items and their columns. */
export interface ItemTable {
  readonly identifiers: readonly string[];
  /** All columns but the identifiers'. */
  readonly columns: readonly ItemColumn[];
  /** The column that names an item for people. */
  readonly title?: ItemColumn | undefined;
  /** Row by identifier. */
  readonly rows: ReadonlyMap<string, number>;
}

/** The match between items and the table of items. */
export interface ItemCoverage {
  /** Items of the vocabulary that the table does not have, and the first of them. */
  readonly withoutMetadata: number;
  readonly examples: readonly string[];
  /** Rows of the table whose identifier the vocabulary does not have. */
  readonly unused: number;
}

/** Holds a table against the identifiers that interactions or vectors have. */
export function coverageOf(items: ItemTable, vocabulary: readonly string[]): ItemCoverage {
  const without = vocabulary.filter((identifier) => !items.rows.has(identifier));
  const known = vocabulary.length - without.length;
  return { withoutMetadata: without.length, examples: without.slice(0, 3), unused: items.identifiers.length - known };
}

/** The columns in the order of other identifiers; null for items that the table does not have. */
export function joinItems(items: ItemTable, identifiers: readonly string[]): ItemColumn[] {
  const rows = identifiers.map((identifier) => items.rows.get(identifier) ?? -1);
  return items.columns.map(({ name, kind, values }) => ({
    name,
    kind,
    values: rows.map((row) => (row < 0 ? null : values[row]!)),
  }));
}
