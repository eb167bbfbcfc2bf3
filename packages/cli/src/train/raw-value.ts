/**
 * Turns the cell of a table into the raw value of a feature. Tables of text hold numbers and lists as text, and a reader may
 * have recognised another type than the spec gives. A cell that does not fit is returned as it is, so that the check of the
 * spec reports it.
 */
import type { Cell } from '@shortlist/data';
import type { FeatureSpec } from 'shortlist/features';

/** The separators of the elements of a list in text, as in tables of items. */
const SEPARATORS = /[|;]/;
const NUMBER = /^\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*$/;
const INTEGER = /^\s*[+-]?\d+\s*$/;

/** The raw value of a cell; undefined for a missing one. */
export function rawValue(spec: FeatureSpec, cell: Cell): unknown {
  if (cell === null || (typeof cell === 'string' && cell.trim() === '')) return undefined;
  switch (spec.type) {
    case 'string':
      return wordOf(cell);
    case 'text':
      return isList(cell) ? cell.map(wordOf).join(' ') : wordOf(cell);
    case 'integer':
      return integerOf(cell);
    case 'number':
      return numberOf(cell);
    case 'time':
      return typeof cell === 'bigint' ? Number(cell) : numberOf(cell);
    case 'bag':
    case 'sequence':
      return listOf(cell).map((element) => (spec.of === 'integer' ? integerOf(element) : wordOf(element)));
    case 'vector':
      return listOf(cell).map(numberOf);
  }
}

function isList(cell: Cell): cell is readonly Cell[] {
  return Array.isArray(cell);
}

/** Numbers and booleans as text; a list and a date unchanged. */
function wordOf(cell: Cell): Cell {
  if (cell instanceof Date) return cell.toISOString();
  return typeof cell === 'object' ? cell : String(cell);
}

function numberOf(cell: Cell): Cell {
  if (typeof cell === 'string') return NUMBER.test(cell) ? Number(cell) : cell;
  return typeof cell === 'boolean' || typeof cell === 'bigint' ? Number(cell) : cell;
}

function integerOf(cell: Cell): Cell {
  if (typeof cell !== 'string' || !INTEGER.test(cell)) return cell;
  const value = Number(cell);
  return Number.isSafeInteger(value) ? value : BigInt(cell.trim());
}

/** A list as it is, a JSON array, or the words between separators. */
function listOf(cell: Cell): readonly Cell[] {
  if (isList(cell)) return cell;
  if (typeof cell !== 'string') return [cell];
  if (cell.trimStart().startsWith('[')) {
    try {
      const list: unknown = JSON.parse(cell);
      if (Array.isArray(list)) return list as Cell[];
    } catch {
      // The text is one word that begins with a bracket.
    }
  }
  return cell
    .split(SEPARATORS)
    .map((word) => word.trim())
    .filter((word) => word !== '');
}
