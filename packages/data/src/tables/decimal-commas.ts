/**
 * Finds the columns of numbers with a decimal comma (`4,5`) in text separated by semicolons. Programs separate fields with semicolons
 * where the comma is the decimal sign. Between other delimiters a comma may group thousands or separate the elements of a list, so
 * there it is never read as a decimal sign.
 */
import { isMissing, numberOf } from '../columns/cell.ts';

/** The delimiter of files with decimal commas. */
const DELIMITER = ';';
/** The share of the values that must be integers or have a decimal comma; the others are broken cells. */
const NUMBER_SHARE = 0.95;
const DECIMAL_COMMA = /^(\s*[+-]?\d+),(\d+\s*)$/;

/**
 * The positions of the columns with decimal commas: some values have one, nearly all others are integers, and none has a decimal
 * point, beside which a comma may group thousands.
 *
 * @param rows the first rows, without the names of the columns
 */
export function decimalCommaColumns(
  rows: readonly (readonly string[])[],
  width: number,
  delimiter: string,
): readonly number[] {
  if (delimiter !== DELIMITER) return [];
  const whole = rows.filter((row) => row.length === width);
  return Array.from({ length: width }, (_, column) => column).filter((column) => {
    const cells = whole.map((row) => row[column]!).filter((cell) => !isMissing(cell));
    const decimals = cells.filter((cell) => DECIMAL_COMMA.test(cell)).length;
    const numbers = cells.filter((cell) => !Number.isNaN(numberOf(cell)));
    const hasPoint = numbers.some((cell) => cell.includes('.'));
    return decimals > 0 && !hasPoint && decimals + numbers.length >= NUMBER_SHARE * cells.length;
  });
}

/** A number with a decimal comma, written with a point; other text is unchanged. */
export function withDecimalPoint(cell: string): string {
  return cell.replace(DECIMAL_COMMA, '$1.$2');
}
