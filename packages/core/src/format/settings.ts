/**
 * A typed reader of settings from JSON, which checks every key. A key that is missing, of the wrong type, out of range or
 * unknown is a FormatError that names the section, its byte offset and the path of the key.
 */
import { shown } from '../checks/numbers.ts';
import { FormatError } from '../errors/errors.ts';

/** A JSON value. */
export type Json = string | number | boolean | null | readonly Json[] | JsonObject;

/** A JSON object. */
export interface JsonObject {
  readonly [key: string]: Json;
}

/** The bounds of a number in settings. */
export interface NumberRange {
  min?: number;
  max?: number;
}

/** Reads the keys of one object; `finish` refuses the keys that were not read. */
export class SettingsReader {
  readonly path: string;
  readonly #object: JsonObject;
  readonly #section: string;
  readonly #offset: number;
  readonly #read: Set<string> = new Set();

  /**
   * @param section the section that holds the JSON, and `offset` its place, for messages
   * @throws {FormatError} when `value` is no object
   */
  constructor(value: Json | undefined, path: string, section: string, offset: number) {
    this.path = path;
    this.#section = section;
    this.#offset = offset;
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw this.error('', `expected an object, got ${shown(value)}`);
    }
    this.#object = value as JsonObject;
  }

  /** True when the key is there. */
  has(key: string): boolean {
    return Object.hasOwn(this.#object, key);
  }

  /** The keys there are, in their order. */
  keys(): string[] {
    return Object.keys(this.#object);
  }

  /** The object itself, with every key. */
  whole(): JsonObject {
    return this.#object;
  }

  /** Any value. */
  json(key: string): Json {
    this.#read.add(key);
    if (!this.has(key)) throw this.error(key, 'expected a value, got none');
    return this.#object[key]!;
  }

  /** A string. */
  string(key: string): string {
    const value = this.json(key);
    if (typeof value !== 'string') throw this.error(key, `expected a string, got ${shown(value)}`);
    return value;
  }

  /** One of the listed strings. */
  oneOf<T extends string>(key: string, allowed: readonly T[]): T {
    const value = this.string(key);
    if (!allowed.includes(value as T)) {
      throw this.error(key, `expected one of ${allowed.join(', ')}, got ${shown(value)}`);
    }
    return value as T;
  }

  /** True or false. */
  boolean(key: string): boolean {
    const value = this.json(key);
    if (typeof value !== 'boolean') throw this.error(key, `expected true or false, got ${shown(value)}`);
    return value;
  }

  /** A number in [min, max]. */
  number(key: string, { min = -Infinity, max = Infinity }: NumberRange = {}): number {
    const value = this.json(key);
    if (typeof value !== 'number' || !(value >= min && value <= max)) {
      throw this.error(key, `expected a number from ${min} to ${max}, got ${shown(value)}`);
    }
    return value;
  }

  /** An integer in [min, max]; by default from 0. */
  integer(key: string, { min = 0, max = Number.MAX_SAFE_INTEGER }: NumberRange = {}): number {
    const value = this.json(key);
    if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < min || value > max) {
      throw this.error(key, `expected an integer from ${min} to ${max}, got ${shown(value)}`);
    }
    return value;
  }

  /** A list. */
  list(key: string): readonly Json[] {
    const value = this.json(key);
    if (!Array.isArray(value)) throw this.error(key, `expected a list, got ${shown(value)}`);
    return value;
  }

  /** A list of numbers. */
  numbers(key: string): number[] {
    return this.#items(key, (items, i) => items.number(i));
  }

  /** A list of integers from 0. */
  integers(key: string): number[] {
    return this.#items(key, (items, i) => items.integer(i));
  }

  /** A list of strings. */
  strings(key: string): string[] {
    return this.#items(key, (items, i) => items.string(i));
  }

  /** A reader of each object in the list under a key. */
  objects(key: string): SettingsReader[] {
    return this.#items(key, (items, i) => items.object(i));
  }

  /** A reader of the object under a key. */
  object(key: string): SettingsReader {
    return new SettingsReader(this.json(key), this.#pathOf(key), this.#section, this.#offset);
  }

  /**
   * Refuse keys that were not read.
   *
   * @throws {FormatError} when a key was not read: this version does not know it
   */
  finish(): void {
    const unknown = this.keys().find((key) => !this.#read.has(key));
    if (unknown !== undefined)
      throw this.error(
        unknown,
        'expected only keys that this version knows, got an unknown one; a newer version of Shortlist may have written it',
      );
  }

  /** The error about a key; `message` says what is wrong with it. */
  error(key: string, message: string): FormatError {
    return new FormatError(this.#section, this.#offset, `${this.#pathOf(key)}: ${message}`);
  }

  #items<T>(key: string, read: (items: SettingsReader, i: string) => T): T[] {
    const list = this.list(key);
    const items = new SettingsReader(
      Object.fromEntries(list.map((item, i) => [i, item])),
      this.#pathOf(key),
      this.#section,
      this.#offset,
    );
    return list.map((_, i) => read(items, String(i)));
  }

  #pathOf(key: string): string {
    if (key === '') return this.path === '' ? 'settings' : this.path;
    return this.path === '' ? key : `${this.path}.${key}`;
  }
}

/**
 * Parse a section of settings.
 *
 * @throws {FormatError} when it is no JSON text in UTF-8
 */
export function parseJson(bytes: Uint8Array, section: string, offset: number): Json {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) as Json;
  } catch {
    throw new FormatError(section, offset, 'expected JSON text in UTF-8');
  }
}
