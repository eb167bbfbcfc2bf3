/** Cells: the values of a table before their columns have roles and types. Every reader returns columns of cells. */

/** A value as it is in the file; in text formats always text. `null` is a missing value. */
export type Cell = string | number | bigint | boolean | Date | null | readonly Cell[];

/** A column of a batch: an array or a typed array. */
export type Cells = ArrayLike<Cell>;

/** True for a missing value or for text of spaces. */
export function isMissing(cell: Cell): boolean {
  return cell === null || (typeof cell === 'string' && cell.trim() === '');
}

/** A cell as text, such as an identifier. Text is unchanged and keeps leading zeros; a missing value is ''. */
export function textOf(cell: Cell): string {
  if (typeof cell === 'string') return cell;
  if (cell === null) return '';
  if (cell instanceof Date) return Number.isNaN(cell.getTime()) ? '' : cell.toISOString();
  if (typeof cell === 'object')
    return JSON.stringify(cell, (_, value) => (typeof value === 'bigint' ? `${value}` : value));
  return String(cell);
}

/** A cell as a number; NaN if it is not one. Text must be decimal, so that '0x10' and '' are not numbers. */
export function numberOf(cell: Cell): number {
  if (typeof cell === 'number') return cell;
  if (typeof cell === 'string') {
    const value = plainDecimal(cell);
    return !Number.isNaN(value) ? value : DECIMAL.test(cell) ? Number(cell) : Number.NaN;
  }
  if (typeof cell === 'bigint' || typeof cell === 'boolean') return Number(cell);
  return Number.NaN;
}

/**
 * Parses up to fifteen digits with at most one decimal point, as most numbers have, four times as fast as `Number`; NaN for
 * other text. The result is the same as that of `Number`: an integer below 2^53 divided by a power of ten below 10^23 is
 * rounded once.
 */
function plainDecimal(text: string): number {
  const { length } = text;
  if (length > DIGITS_EXACT || length === 0) return Number.NaN;
  let value = 0;
  let point = -1;
  for (let i = 0; i < length; i++) {
    const unit = text.charCodeAt(i);
    if (unit >= DIGIT_0 && unit <= DIGIT_9) value = value * 10 + unit - DIGIT_0;
    else if (unit === POINT && point === -1 && length > 1) point = i;
    else return Number.NaN;
  }
  return point === -1 ? value : value / TENS[length - 1 - point]!;
}

const DIGITS_EXACT = 15;
const TENS: readonly number[] = Array.from({ length: DIGITS_EXACT }, (_, i) => 10 ** i);
const POINT = 46;
const DIGIT_0 = 48;
const DIGIT_9 = 57;
const DECIMAL = /^\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*$/;

/** A value of a binary format as a cell: bytes become text, structures JSON. */
export function cellOf(value: unknown): Cell {
  if (value === null || value === undefined) return null;
  if (
    typeof value === 'string' ||
    typeof value === 'number' ||
    typeof value === 'boolean' ||
    typeof value === 'bigint'
  ) {
    return value;
  }
  if (value instanceof Date) return value;
  if (Array.isArray(value)) return value.map(cellOf);
  if (value instanceof Uint8Array) return new TextDecoder().decode(value);
  if (ArrayBuffer.isView(value)) return Array.from(value as typeof value & ArrayLike<unknown>, cellOf);
  return JSON.stringify(value, (_, inner) => (typeof inner === 'bigint' ? `${inner}` : inner)) ?? null;
}

/** Values of a binary format as cells; numbers and text are unchanged. */
export function cellsOf(values: ArrayLike<unknown>): Cells {
  if (ArrayBuffer.isView(values)) return values as typeof values & Cells;
  const isPlain = (value: unknown): boolean => value === null || typeof value !== 'object' || value instanceof Date;
  const plain = values as ArrayLike<Cell>;
  for (let i = 0; i < values.length; i++) {
    if (values[i] === undefined || !isPlain(values[i])) return Array.from(values, cellOf);
  }
  return plain;
}
