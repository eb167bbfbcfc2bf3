/**
 * A table of items: one row per item, with named columns of text, numbers, booleans, dates or lists.
 */
import { checkArgument, objectWith, WORDS } from 'shortlist/options';

/** A value of an item. A date is text in ISO 8601, which sorts and prints correctly. */
export type ItemValue = string | number | boolean | readonly (string | number)[] | null;

/** The type of the values of a column. */
export type ItemColumnKind = 'text' | 'number' | 'boolean' | 'date' | 'list';

/** A column of items. */
export interface ItemColumn {
  readonly name: string;
  readonly kind: ItemColumnKind;
  /** [items] the values. */
  readonly values: readonly ItemValue[];
}

/** Items and their columns. */
export interface ItemTable {
  readonly identifiers: readonly string[];
  /** All columns except that of the identifiers. */
  readonly columns: readonly ItemColumn[];
  /** The column of titles; undefined if there is none. */
  readonly title?: ItemColumn | undefined;
  /** The row of each identifier. */
  readonly rows: ReadonlyMap<string, number>;
}

/** The match between the items of interactions and a table of items. */
export interface ItemCoverage {
  /** The number of items of the vocabulary that the table lacks, and the first of them. */
  readonly withoutMetadata: number;
  readonly examples: readonly string[];
  /** Rows of the table whose identifier is not in the vocabulary. */
  readonly unused: number;
}

const ITEMS = objectWith('a table of items', 'identifiers', 'columns', 'rows');

/** Compares a table with the identifiers of interactions or vectors. */
export function coverageOf(items: ItemTable, vocabulary: readonly string[]): ItemCoverage {
  checkArgument('items', items, ITEMS);
  checkArgument('vocabulary', vocabulary, WORDS);
  const without = vocabulary.filter((identifier) => !items.rows.has(identifier));
  const known = vocabulary.length - without.length;
  return { withoutMetadata: without.length, examples: without.slice(0, 3), unused: items.identifiers.length - known };
}

/** The columns with their values in the order of other identifiers; null for items that the table lacks. */
export function joinItems(items: ItemTable, identifiers: readonly string[]): ItemColumn[] {
  checkArgument('items', items, ITEMS);
  checkArgument('identifiers', identifiers, WORDS);
  const rows = identifiers.map((identifier) => items.rows.get(identifier) ?? -1);
  return items.columns.map(({ name, kind, values }) => ({
    name,
    kind,
    values: rows.map((row) => (row < 0 ? null : values[row]!)),
  }));
}
