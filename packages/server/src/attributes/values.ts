/** The values that an attribute may have, and the kinds of columns that they fit. */
import { memberStep } from '../status/place.ts';
import { shown } from '../status/shown.ts';
import { parseDate } from './dates.ts';

/** A list of text and finite numbers. */
export type ListValue = readonly (string | number)[];

/** A value of an attribute; null if a candidate has none. Dates are ISO 8601 text, or numbers of epoch time. */
export type AttributeValue = string | number | boolean | ListValue | null;

/** Values of one candidate by attribute name. */
export type AttributeValues = { readonly [name: string]: AttributeValue };

/** The kind of values that a column holds. */
export type AttributeKind = 'text' | 'number' | 'boolean' | 'date' | 'list';

/** All kinds. */
export const ATTRIBUTE_KINDS: readonly AttributeKind[] = ['text', 'number', 'boolean', 'date', 'list'];

/** A kind with its article, for messages. */
export const A_KIND: { readonly [K in AttributeKind]: string } = {
  text: 'text',
  number: 'a number',
  boolean: 'a boolean',
  date: 'a date',
  list: 'a list',
};

/**
 * The kind that a first value gives to an attribute. It is never 'date', because only a bundle tells dates from text.
 */
export function kindOf(value: NonNullable<AttributeValue>): AttributeKind {
  if (Array.isArray(value)) return 'list';
  return typeof value === 'string' ? 'text' : (typeof value as 'number' | 'boolean');
}

/** Whether a value fits a column of a kind. */
export function fitsKind(value: NonNullable<AttributeValue>, kind: AttributeKind): boolean {
  return kind === 'date' ? parseDate(value) !== undefined : kindOf(value) === kind;
}

/** Whether untrusted data is a value of an attribute. */
export function isAttributeValue(value: unknown): value is NonNullable<AttributeValue> {
  if (Array.isArray(value)) return value.every((item) => typeof item === 'string' || Number.isFinite(item));
  return typeof value === 'string' || typeof value === 'boolean' || Number.isFinite(value);
}

const LONE_SURROGATE = /\p{Surrogate}/u;
const LONE_SURROGATES = /\p{Surrogate}/gu;

/** Whether the text in a value is well-formed Unicode, which is all that Protobuf and UTF-8 files can hold. */
export function isUnicodeText(value: NonNullable<AttributeValue>): boolean {
  if (Array.isArray(value)) return value.every((item) => isUnicodeText(item));
  return typeof value !== 'string' || !LONE_SURROGATE.test(value);
}

/** A value with each lone surrogate replaced by U+FFFD; the value itself if it has none. */
export function wellFormed(value: AttributeValue): AttributeValue {
  if (value === null || isUnicodeText(value)) return value;
  if (Array.isArray(value)) return value.map((item) => wellFormed(item) as string | number);
  return (value as string).replaceAll(LONE_SURROGATES, '\ufffd');
}

/** The place of an attribute in a candidate. */
export function attributePlace(name: string): string {
  return `attributes${memberStep(name)}`;
}

/** The error message for a value that does not fit a column. */
export function misfit(name: string, kind: AttributeKind, value: NonNullable<AttributeValue>): string {
  const isText = kind === 'date' && typeof value === 'string';
  return `${attributePlace(name)}: expected ${A_KIND[kind]}${isText ? ' as ISO 8601 writes it' : ''}, got ${shown(value)}`;
}
