/**
 * Identifiers as a saved object. Row numbers take no bytes, numbers and bigints take eight bytes each, strings are
 * saved as UTF-8. Loading does not decode them, so millions of identifiers load as fast as the file is read.
 */
import { type Loaders, loadPart, type Part } from '../format/part.ts';
import { bytesOf, type Saved } from '../format/saved.ts';
import { loadTextColumn, TEXT_ENCODINGS, TextColumn } from '../format/text-column.ts';
import type { Identifier } from './contract.ts';
import { Identifiers, type IdentifierValues, WithAdded } from './identifiers.ts';

/**
 * The saved form of the identifiers of an index. A loaded column is written as it is; only identifiers that were added
 * since are encoded.
 *
 * @param type of the identifiers; for an index without candidates, the type that later ones must have
 */
export function saveIdentifiers<I extends Identifier>(
  identifiers: Identifiers<I>,
  type: string = identifiers.columnType ?? 'string',
): Saved {
  const { size, values } = identifiers;
  if (values === undefined) return { kind: 'row-numbers', settings: { rows: size }, sections: [] };
  const { base, added } = values instanceof WithAdded ? values : new WithAdded<Identifier>(values, []);
  if (type === 'number') return saveWords('numbers', size, [toFloats(base), toFloats(added)]);
  if (type === 'bigint') {
    const [first, rest] = [toBigIntegers(base), toBigIntegers(added)];
    if (first && rest) return saveWords('bigints', size, [first, rest]);
  }
  const kind = type === 'bigint' ? 'large-bigints' : 'strings';
  if (base instanceof TextColumn) {
    const sections = added.length === 0 ? base.sections() : base.sectionsWith(toStrings(added));
    if (sections) return { kind, settings: { rows: size, encoding: base.encoding }, sections };
  }
  const column = TextColumn.from(toStrings(values));
  return { kind, settings: { rows: size, encoding: column.encoding }, sections: column.sections() };
}

/** Values of eight bytes each. */
function saveWords(kind: string, rows: number, pieces: readonly (Float64Array | BigInt64Array)[]): Saved {
  return { kind, settings: { rows }, sections: [{ name: 'values', bytes: pieces.map(bytesOf) }] };
}

/** The identifiers of `rows` rows. */
export function loadIdentifiers(part: Part, rows: number): Identifiers<Identifier> {
  const found = part.settings.integer('rows');
  if (found !== rows) throw part.settings.error('rows', `expected ${rows} as there are candidates, got ${found}`);
  return new Identifiers<Identifier>(rows, loadPart(part, LOADERS, rows));
}

const LOADERS: Loaders<IdentifierValues<Identifier> | undefined, [rows: number]> = {
  'row-numbers': () => undefined,
  numbers(part, rows) {
    return new Float64Array(part.bytes('values', 8 * rows).buffer, 0, rows);
  },
  bigints(part, rows) {
    return new BigInt64Array(part.bytes('values', 8 * rows).buffer, 0, rows);
  },
  'large-bigints'(part, rows) {
    const column = loadText(part, rows);
    return column.toArray().map((text, row) => {
      if (!/^-?\d+$/.test(text)) throw part.error('text', `expected an integer in row ${row}, got ${text}`);
      return BigInt(text);
    });
  },
  strings: loadText,
};

function loadText(part: Part, rows: number): TextColumn {
  return loadTextColumn(part, rows, part.settings.oneOf('encoding', TEXT_ENCODINGS));
}

function toFloats(values: IdentifierValues<Identifier>): Float64Array {
  if (values instanceof Float64Array) return values;
  return Float64Array.from({ length: values.length }, (_, row) => values.at(row) as number);
}

/** The values as 64-bit integers; undefined where one needs more bits. */
function toBigIntegers(values: IdentifierValues<Identifier>): BigInt64Array | undefined {
  if (values instanceof BigInt64Array) return values;
  const integers = new BigInt64Array(values.length).map((_, row) => values.at(row) as bigint);
  for (let row = 0; row < integers.length; row++) if (integers[row] !== values.at(row)) return undefined;
  return integers;
}

function toStrings(values: IdentifierValues<Identifier>): readonly string[] {
  if (Array.isArray(values) && typeof values[0] === 'string') return values as readonly string[];
  return Array.from({ length: values.length }, (_, row) => String(values.at(row)));
}
