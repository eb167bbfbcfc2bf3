/** An attribute in the form that rules need to count its values, for `perValue` of a query (`shortlist/rules`). */
import type { CandidateValue, ValueColumn } from 'shortlist/rules';
import type { AttributeColumn } from './column.ts';
import { parseDate } from './dates.ts';
import type { AttributeTable } from './table.ts';
import type { ListValue } from './values.ts';

const WITHOUT_VALUES: ValueColumn = { valuesOf: () => [], rowsWith: () => () => false };

/** The column of an attribute of the table; an attribute without any value limits no results. */
export function ruleColumn(table: AttributeTable, name: string): ValueColumn {
  const column = table.columns.get(name);
  if (!column) return WITHOUT_VALUES;
  return {
    valuesOf: (row) => {
      const value = column.get(row);
      if (value === null) return [];
      return typeof value === 'object' ? [...new Set(value)] : [value];
    },
    rowsWith: (values) => {
      const has = entriesWith(column, values);
      const { entries } = column;
      return (row) => has(entries[row]);
    },
  };
}

/** Whether an entry has one of some values; decided only once for each entry of a dictionary. */
function entriesWith(
  column: AttributeColumn,
  values: ReadonlySet<CandidateValue>,
): (entry: number | undefined) => boolean {
  if (column.kind === 'list') {
    const lists = column.dictionary as readonly ListValue[];
    const has = Uint8Array.from(lists, (list) => Number(list.some((value) => values.has(value))));
    return (entry) => entry !== undefined && has[entry] === 1;
  }
  const entryOf = (value: CandidateValue): number | undefined => {
    if (column.kind === 'text') return column.codeOf(String(value));
    return column.kind === 'date' ? parseDate(value) : Number(value);
  };
  const wanted = new Set([...values].map(entryOf));
  wanted.delete(undefined);
  return (entry) => wanted.has(entry);
}
