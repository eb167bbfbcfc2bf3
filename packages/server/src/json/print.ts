/**
 * Prints JSON as RapidJSON's pretty writer does: four spaces per level and, as an option, arrays on one line. The line
 * breaks are part of TF Serving's documented responses: `"predictions": [2.5, 3.0\n    ]\n}`.
 */
import { shown } from '../status/shown.ts';
import { float64Token } from './decimal.ts';
import { Decimal, type JsonValue } from './parse.ts';

const INDENT = '    ';

/** A parsed value in a message: short values as they are, others by their kind; `none` for a value that is not given. */
export function shownJson(value: JsonValue | undefined): string {
  return shown(value instanceof Decimal ? value.value : value);
}

/** The pretty text of a parsed value, for quotation in error messages. */
export function printJson(value: JsonValue, depth = 0): string {
  const inner = INDENT.repeat(depth + 1);
  const end = INDENT.repeat(depth);
  if (Array.isArray(value)) {
    if (value.length === 0) return '[]';
    return `[\n${value.map((item) => inner + printJson(item, depth + 1)).join(',\n')}\n${end}]`;
  }
  if (value instanceof Map) {
    if (value.size === 0) return '{}';
    const members = [...value].map(([name, item]) => `${inner}${JSON.stringify(name)}: ${printJson(item, depth + 1)}`);
    return `{\n${members.join(',\n')}\n${end}}`;
  }
  if (value instanceof Decimal) return float64Token(value.value);
  if (typeof value === 'number') return Number.isInteger(value) ? String(value) : float64Token(value);
  return typeof value === 'bigint' ? String(value) : JSON.stringify(value);
}

/** RapidJSON's name of a value's type. */
export function jsonTypeName(value: JsonValue): string {
  if (value === null) return 'Null';
  if (Array.isArray(value)) return 'Array';
  if (value instanceof Map) return 'Object';
  if (typeof value === 'string') return 'String';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  return 'Number';
}

/** TF Serving's error body. */
export function errorBody(message: string): string {
  return `{\n${INDENT}"error": ${JSON.stringify(message)}\n}`;
}
