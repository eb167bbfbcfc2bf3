/**
 * Filters over attributes: equals, in, range, and, or, not, as a closed JSON form.
 *
 *   {"equals": {"category": "shoes"}}            {"in": {"country": ["DE", "FR"]}}
 *   {"range": {"price": {"gte": 10, "lt": 50}}}  {"and": [f, …]}  {"or": [f, …]}  {"not": f}
 *
 * `compileFilter` converts a filter to bit words over the rows, as scans take them: row r is bit r & 31 of word r >> 5. A candidate without the attribute matches no comparison, so it matches the `not` of any. A list matches if one of its values does. Dates are
 * compared as instants, with ISO 8601 text or numbers of epoch time.
 */

import { memberStep } from '../status/place.ts';
import { invalidArgument } from '../status/serving-error.ts';
import { shown } from '../status/shown.ts';
import { suggestion } from '../status/suggestion.ts';
import type { AttributeColumn } from './column.ts';
import { parseDate } from './dates.ts';
import type { AttributeTable } from './table.ts';
import { A_KIND, fitsKind, type ListValue } from './values.ts';

/** A value with which a filter compares. */
export type FilterValue = string | number | boolean;

/** Bounds of a range, at least one: numbers, or dates as ISO 8601 text. */
export interface FilterRange {
  gt?: number | string;
  gte?: number | string;
  lt?: number | string;
  lte?: number | string;
}

/** A filter; each object has exactly one key, each comparison names exactly one attribute. */
export type Filter =
  | { readonly equals: { readonly [attribute: string]: FilterValue } }
  | { readonly in: { readonly [attribute: string]: readonly FilterValue[] } }
  | { readonly range: { readonly [attribute: string]: FilterRange } }
  | { readonly and: readonly Filter[] }
  | { readonly or: readonly Filter[] }
  | { readonly not: Filter };

/** Deepest nesting of filters, which is more than any sensible filter needs. */
const DEPTH_MAX = 16;
/** Most parts of a filter on all levels together; each part takes one pass over the rows. */
const PARTS_MAX = 256;
const BOUNDS = ['gt', 'gte', 'lt', 'lte'];

/**
 * Check that a JSON value is a filter.
 *
 * @throws {ServingError} INVALID_ARGUMENT, naming the place
 */
export function checkFilter(value: unknown): Filter {
  let parts = 0;
  const visit = (part: unknown, path: string, depth: number): void => {
    if (depth > DEPTH_MAX || ++parts > PARTS_MAX)
      throw invalidArgument(`filter: expected at most ${PARTS_MAX} parts in ${DEPTH_MAX} levels, got more`);
    const [operator, operand] = onlyMember(part, path);
    const here = `${path}${memberStep(operator)}`;
    if (operator === 'and' || operator === 'or') {
      if (!Array.isArray(operand)) throw invalidArgument(`${here}: expected a list of filters, got ${shown(operand)}`);
      operand.forEach((item, i) => visit(item, `${here}[${i}]`, depth + 1));
    } else if (operator === 'not') visit(operand, here, depth + 1);
    else checkComparison(operator, onlyMember(operand, here), here);
  };
  visit(value, 'filter', 0);
  return value as Filter;
}

function onlyMember(value: unknown, path: string): [string, unknown] {
  const members = typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.entries(value) : [];
  if (members.length !== 1) {
    const got = members.length === 0 ? shown(value) : `${members.length} keys`;
    throw invalidArgument(`${path}: expected an object with one key, got ${got}`);
  }
  return members[0]!;
}

function checkComparison(operator: string, [attribute, operand]: [string, unknown], path: string): void {
  const here = `${path}${memberStep(attribute)}`;
  if (operator === 'equals') {
    if (!isFilterValue(operand))
      throw invalidArgument(`${here}: expected text, a number or a boolean, got ${shown(operand)}`);
  } else if (operator === 'in') {
    if (!Array.isArray(operand) || !operand.every(isFilterValue))
      throw invalidArgument(`${here}: expected a list of values, got ${shown(operand)}`);
  } else if (operator === 'range') {
    const bounds = typeof operand === 'object' && operand !== null ? Object.entries(operand) : [];
    if (bounds.length === 0 || !bounds.every(([name, bound]) => BOUNDS.includes(name) && isBound(bound))) {
      throw invalidArgument(
        `${here}: expected numbers or dates (ISO 8601) under gt, gte, lt or lte, got ${shown(operand)}`,
      );
    }
  } else throw invalidArgument(`${path}: expected equals, in, range, and, or or not, got ${shown(operator)}`);
}

const isBound = (bound: unknown): boolean =>
  typeof bound === 'string' ? parseDate(bound) !== undefined : Number.isFinite(bound);

const isFilterValue = (value: unknown): value is FilterValue =>
  typeof value === 'string' || typeof value === 'boolean' || (typeof value === 'number' && Number.isFinite(value));

/**
 * Check that the attributes that a filter names exist and have the kinds with which it compares them. An attribute
 * without any value may be compared with any kind.
 *
 * @throws {ServingError} INVALID_ARGUMENT, naming the place and, for an unknown attribute, the nearest known one
 */
export function checkFilterAttributes(filter: Filter, table: AttributeTable, path = 'filter'): void {
  if ('and' in filter || 'or' in filter) {
    const [operator, parts] = 'and' in filter ? ['and', filter.and] : ['or', filter.or];
    for (const [i, part] of parts.entries()) checkFilterAttributes(part, table, `${path}.${operator}[${i}]`);
    return;
  }
  if ('not' in filter) {
    checkFilterAttributes(filter.not, table, `${path}.not`);
    return;
  }
  const [operator, operand] = Object.entries(filter)[0]!;
  const [attribute, value] = Object.entries(operand as Record<string, unknown>)[0]!;
  const here = `${path}.${operator}${memberStep(attribute)}`;
  if (!table.has(attribute)) {
    throw invalidArgument(
      `${here}: unknown attribute${suggestion(attribute, table.names, 'the candidates have none')}`,
    );
  }
  const column = table.columns.get(attribute);
  if (!column) return;
  if (operator === 'range') checkBounds(value as FilterRange, column, here);
  else
    for (const word of operator === 'in' ? (value as FilterValue[]) : [value as FilterValue])
      checkWord(word, column, here);
}

function checkBounds(range: FilterRange, { kind, elements }: AttributeColumn, here: string): void {
  const isOrdered = kind === 'number' || kind === 'date' || (kind === 'list' && !elements.has('text'));
  if (!isOrdered) {
    const held = kind === 'list' ? 'a list of text' : A_KIND[kind];
    throw invalidArgument(`${here}: expected an attribute that is a number or a date, got one that is ${held}`);
  }
  for (const bound of Object.values(range)) {
    if (kind === 'date' ? parseDate(bound) === undefined : typeof bound !== 'number') {
      throw invalidArgument(
        `${here}: expected ${A_KIND[kind === 'list' ? 'number' : kind]}, got ${JSON.stringify(bound)}`,
      );
    }
  }
}

function checkWord(word: FilterValue, { kind, elements }: AttributeColumn, here: string): void {
  const got = JSON.stringify(word);
  if (kind === 'list') {
    const isHeld = typeof word !== 'boolean' && (elements.size === 0 || elements.has(kindOfElement(word)));
    if (isHeld) return;
    const held = [...elements].map((element) => (element === 'text' ? 'text' : 'numbers')).join(' and ') || 'text';
    throw invalidArgument(`${here}: expected a value of the attribute's lists, which are of ${held}, got ${got}`);
  }
  if (!fitsKind(word, kind))
    throw invalidArgument(`${here}: expected ${A_KIND[kind]}, the kind of the attribute, got ${got}`);
}

const kindOfElement = (value: string | number): 'text' | 'number' => (typeof value === 'string' ? 'text' : 'number');

/** Attributes that a filter names. */
export function attributesOf(filter: Filter): string[] {
  if ('and' in filter) return filter.and.flatMap(attributesOf);
  if ('or' in filter) return filter.or.flatMap(attributesOf);
  return 'not' in filter ? attributesOf(filter.not) : Object.keys(Object.values(filter)[0]!);
}

/** Bit words over `rows` rows: 1 where the filter holds. Bits after the last row are 0. */
export function compileFilter(filter: Filter, table: AttributeTable, rows: number): Uint32Array {
  const words = new Uint32Array((rows + 31) >>> 5);
  if ('and' in filter || 'or' in filter) {
    const parts = 'and' in filter ? filter.and : filter.or;
    if ('and' in filter) words.fill(0xffff_ffff);
    for (const part of parts) {
      const other = compileFilter(part, table, rows);
      if ('and' in filter) for (let w = 0; w < words.length; w++) words[w]! &= other[w]!;
      else for (let w = 0; w < words.length; w++) words[w]! |= other[w]!;
    }
  } else if ('not' in filter) {
    const other = compileFilter(filter.not, table, rows);
    for (let w = 0; w < words.length; w++) words[w] = ~other[w]!;
  } else {
    const [attribute, holds] = comparison(filter);
    const column = table.columns.get(attribute);
    if (column) markRows(words, rows, column, holds(column));
  }
  if (rows & 31) words[words.length - 1]! &= 2 ** (rows & 31) - 1;
  return words;
}

function markRows(words: Uint32Array, rows: number, column: AttributeColumn, holds: (entry: number) => boolean): void {
  const { entries } = column;
  // Rows beyond the end of the column have no value and match nothing.
  const end = Math.min(rows, entries.length);
  for (let row = 0; row < end; row++) if (holds(entries[row]!)) words[row >>> 5]! |= 1 << (row & 31);
}

type Comparison = [attribute: string, (column: AttributeColumn) => (entry: number) => boolean];

function comparison(filter: Exclude<Filter, { and: unknown } | { or: unknown } | { not: unknown }>): Comparison {
  if ('range' in filter) {
    const [attribute, range] = Object.entries(filter.range)[0]!;
    return [
      attribute,
      (column) => {
        if (column.kind === 'list') {
          const matches = listsThatMatch(column, isInRange(range, Number));
          return (entry) => matches[entry] === 1;
        }
        if (column.kind === 'date') return isInRange(range, (bound) => parseDate(bound) ?? Number.NaN);
        return column.kind === 'number' ? isInRange(range, Number) : () => false;
      },
    ];
  }
  const [attribute, value] = Object.entries('equals' in filter ? filter.equals : filter.in)[0]!;
  const wanted: readonly FilterValue[] = Array.isArray(value) ? value : [value as FilterValue];
  return [
    attribute,
    (column) => {
      if (column.kind === 'list') {
        const words = new Set<unknown>(wanted);
        const matches = listsThatMatch(column, (element) => words.has(element));
        return (entry) => matches[entry] === 1;
      }
      const entries = new Set(wanted.map((word) => entryOf(column, word)).filter((entry) => entry !== undefined));
      const [only] = entries;
      return entries.size === 1 ? (entry) => entry === only : (entry) => entries.has(entry);
    },
  ];
}

/** For each code of a list, 1 if the test holds for at least one value of the list. */
function listsThatMatch({ dictionary }: AttributeColumn, test: (element: string | number) => boolean): Uint8Array {
  return Uint8Array.from(dictionary, (list) => Number((list as ListValue).some(test)));
}

function isInRange(
  { gt, gte, lt, lte }: FilterRange,
  numberOf: (bound: number | string) => number,
): (value: number | string) => boolean {
  const bound = (value: number | string | undefined, none: number): number =>
    value === undefined ? none : numberOf(value);
  const [strictAbove, orAbove] = [bound(gt, Number.NEGATIVE_INFINITY), bound(gte, Number.NEGATIVE_INFINITY)];
  const [strictBelow, orBelow] = [bound(lt, Number.POSITIVE_INFINITY), bound(lte, Number.POSITIVE_INFINITY)];
  const above = Math.max(strictAbove, orAbove);
  const below = Math.min(strictBelow, orBelow);
  // If a strict and an inclusive bound name the same number, the strict one decides.
  const strictlyAbove = gt !== undefined && strictAbove >= above;
  const strictlyBelow = lt !== undefined && strictBelow <= below;
  return (value) =>
    typeof value === 'number' &&
    (strictlyAbove ? value > above : value >= above) &&
    (strictlyBelow ? value < below : value <= below);
}

/** The entry that a value has in a column; undefined if no row can have the value. */
function entryOf(column: AttributeColumn, value: FilterValue): number | undefined {
  if (column.kind === 'text') return typeof value === 'string' ? column.codeOf(value) : undefined;
  if (column.kind === 'date') return parseDate(value);
  return typeof value === column.kind ? Number(value) : undefined;
}
