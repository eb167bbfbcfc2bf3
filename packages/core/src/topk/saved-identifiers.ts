/**
 * Identifiers as a saved object. Row numbers take no bytes, whole numbers of 32 bits four bytes each, other numbers and
 * bigints eight, strings are saved as UTF-8. Loading does not decode them, so millions of identifiers load as fast as the
 * file is read.
 */
import { PackedTexts, TEXT_BYTES_MAX } from '../columns/packed-texts.ts';
import { type Loaders, loadPart, type Part } from '../format/part.ts';
import { bytesOf, type Saved } from '../format/saved.ts';
import { joinedSections, loadTextColumn, TEXT_ENCODINGS, TextColumn } from '../format/text-column.ts';
import type { Identifier } from './contract.ts';
import { DecimalTexts } from './decimal-texts.ts';
import { type IdentifierPiece, isPiece, packIdentifiers, ValuesPiece } from './identifier-pieces.ts';
import { type IdentifierType, type IdentifierValues, RowNumberValues } from './identifier-values.ts';
import { Identifiers } from './identifiers.ts';
import { JoinedPieces } from './joined-pieces.ts';
import { PackedColumn, packedColumn } from './packed-column.ts';

/** Rows checked in a step, some tenths of a millisecond. */
const CHECKED_AT_ONCE = 1 << 10;
const INTEGER = /^(?:0|-?[1-9]\d*)$/;

/**
 * The saved form of the identifiers of an index. A loaded column is written as it is; only identifiers that were added
 * since are encoded.
 *
 * @param type of the identifiers; for an index without candidates, the type that later ones must have
 * @param textBytesMax most bytes of text in one column
 */
export function saveIdentifiers<I extends Identifier>(
  identifiers: Identifiers<I>,
  type: string = identifiers.columnType ?? 'string',
  textBytesMax: number = TEXT_BYTES_MAX,
): Saved {
  const { size } = identifiers;
  const kept: readonly IdentifierValues<Identifier>[] | undefined = identifiers.pieces();
  const pieces = kept?.flatMap(parts);
  if (pieces === undefined) return { kind: 'row-numbers', settings: { rows: size }, sections: [] };
  if (type === 'number') return saveNumbers(size, pieces.map(toNumbers));
  if (type === 'bigint') {
    const integers = pieces.map(toBigIntegers);
    if (integers.every((each) => each !== undefined)) return saveWords('bigints', size, integers);
  }
  const columns = inOneEncoding(pieces.map(toText));
  const groups = groupsOf(columns, textBytesMax);
  if (type === 'bigint' || groups.length === 1) {
    return saveText(type === 'bigint' ? 'large-bigints' : 'strings', columns);
  }
  return {
    kind: 'strings-in-parts',
    settings: { rows: size, parts: groups.length },
    sections: [],
    parts: Object.fromEntries(groups.map((group, i) => [`part-${i}`, saveText('strings', group)])),
  };
}

type Piece = IdentifierPiece<Identifier>;

/** Packed pieces: of a loaded column those of which it was joined, of a list one that is made now. */
function parts(values: IdentifierValues<Identifier>): readonly Piece[] {
  if (values instanceof JoinedPieces) return values.pieces;
  if (Array.isArray(values)) return values.length > 0 ? [packIdentifiers(values as readonly Identifier[])] : [];
  return [isPiece(values) ? values : new ValuesPiece(values)];
}

function saveNumbers(rows: number, values: readonly (Int32Array | Float64Array)[]): Saved {
  if (values.every((each) => each instanceof Int32Array)) return saveWords('integers', rows, values);
  return saveWords(
    'numbers',
    rows,
    values.map((each) => (each instanceof Float64Array ? each : Float64Array.from(each))),
  );
}

/** Values of four or eight bytes each. */
function saveWords(kind: string, rows: number, pieces: readonly ArrayBufferView[]): Saved {
  return { kind, settings: { rows }, sections: [{ name: 'values', bytes: pieces.map(bytesOf) }] };
}

/** Columns of one encoding as one. */
function saveText(kind: string, columns: readonly TextColumn[]): Saved {
  const rows = columns.reduce((sum, { length }) => sum + length, 0);
  return { kind, settings: { rows, encoding: columns[0]!.encoding }, sections: joinedSections(columns) };
}

/** Columns one after the other in groups of at most so many bytes of text; at least one group. */
function groupsOf(columns: readonly TextColumn[], textBytesMax: number): TextColumn[][] {
  const groups: TextColumn[][] = [[]];
  let held = 0;
  for (const column of columns) {
    if (held > 0 && held + column.text.length > textBytesMax) {
      groups.push([]);
      held = 0;
    }
    groups.at(-1)!.push(column);
    held += column.text.length;
  }
  return groups;
}

/** UTF-8 where all columns are, else all in UTF-16; at least one column. */
function inOneEncoding(columns: readonly TextColumn[]): readonly TextColumn[] {
  if (columns.length === 0) return [TextColumn.from([])];
  return columns.every(({ encoding }) => encoding === 'utf-8') ? columns : columns.map((column) => column.inUtf16());
}

/** The identifiers of `rows` rows. */
export function loadIdentifiers(part: Part, rows: number): Identifiers<Identifier> {
  const found = part.settings.integer('rows');
  if (found !== rows) throw part.settings.error('rows', `expected ${rows} as there are candidates, got ${found}`);
  const values = loadPart(part, LOADERS, rows);
  const column = values && new PackedColumn(values, TYPES[part.kind]);
  return new Identifiers<Identifier>(rows, column, 0, packedColumn);
}

/** The type of the identifiers of each kind, which an empty column needs. */
const TYPES: Readonly<Record<string, IdentifierType>> = {
  integers: 'number',
  numbers: 'number',
  bigints: 'bigint',
  'large-bigints': 'bigint',
  strings: 'string',
  'strings-in-parts': 'string',
};

const LOADERS: Loaders<IdentifierValues<Identifier> | undefined, [rows: number]> = {
  'row-numbers': () => undefined,
  integers(part, rows) {
    return new Int32Array(part.bytes('values', 4 * rows).buffer, 0, rows);
  },
  numbers(part, rows) {
    return new Float64Array(part.bytes('values', 8 * rows).buffer, 0, rows);
  },
  bigints(part, rows) {
    return new BigInt64Array(part.bytes('values', 8 * rows).buffer, 0, rows);
  },
  'large-bigints'(part, rows) {
    const texts = loadText(part, rows);
    part.checkLater(checkIntegers(part, texts));
    return new DecimalTexts(texts);
  },
  strings: loadText,
  'strings-in-parts'(part, rows) {
    const count = part.settings.integer('parts', { min: 1 });
    const pieces = Array.from({ length: count }, (_, i) => loadStrings(part.part(`part-${i}`)));
    const joined = new JoinedPieces(pieces);
    if (joined.length !== rows) {
      throw part.settings.error('rows', `expected the ${joined.length} rows of all parts, got ${rows}`);
    }
    return joined;
  },
};

/** A part of a column of strings. */
function loadStrings(part: Part): TextColumn {
  const load = (own: Part): TextColumn => loadText(own, own.settings.integer('rows'));
  return loadPart(part, { strings: load });
}

function loadText(part: Part, rows: number): TextColumn {
  return loadTextColumn(part, rows, part.settings.oneOf('encoding', TEXT_ENCODINGS));
}

function* checkIntegers(part: Part, texts: TextColumn): Generator<void, void> {
  for (let row = 0; row < texts.length; row++) {
    const text = texts.at(row);
    if (!INTEGER.test(text)) throw part.error('text', `expected an integer in row ${row}, got ${text}`);
    if (row % CHECKED_AT_ONCE === 0) yield;
  }
}

function toNumbers(piece: Piece): Int32Array | Float64Array {
  const values = piece instanceof ValuesPiece ? piece.values : piece;
  if (values instanceof Int32Array || values instanceof Float64Array) return values;
  const Packed = values instanceof RowNumberValues ? Int32Array : Float64Array;
  const numbers = new Packed(piece.length);
  for (let row = 0; row < numbers.length; row++) numbers[row] = Number(piece.at(row));
  return numbers;
}

/** The values as 64-bit integers; undefined where one needs more bits. */
function toBigIntegers(piece: Piece): BigInt64Array | undefined {
  const values = piece instanceof ValuesPiece ? piece.values : piece;
  if (values instanceof BigInt64Array) return values;
  const integers = BigInt64Array.from(valuesOf(piece), BigInt);
  for (let row = 0; row < integers.length; row++) if (integers[row] !== piece.at(row)) return undefined;
  return integers;
}

function toText(piece: Piece): TextColumn {
  if (piece instanceof TextColumn) return piece;
  if (piece instanceof ValuesPiece && piece.values instanceof DecimalTexts) return toText(piece.values.texts);
  if (piece instanceof PackedTexts) return new TextColumn('utf-8', piece.text, piece.ends);
  return TextColumn.from(Array.from(valuesOf(piece), String));
}

function* valuesOf(piece: Piece): Generator<Identifier, void> {
  for (let row = 0; row < piece.length; row++) yield piece.at(row);
}
