/**
 * Parses JSON as TF Serving does: NaN, Infinity and -Infinity are numbers, 64-bit integers stay exact, and bytes after
 * the first value are ignored. Messages and their offsets are those of RapidJSON.
 *
 * Unlike JSON.parse it distinguishes 1 from 1.0 (`Decimal`), because a tensor of integers accepts only the first.
 */
import { invalidArgument } from '../status/serving-error.ts';

/** A whole number written with a fraction or an exponent: 1.0, 2e3. */
export class Decimal {
  readonly value: number;
  constructor(value: number) {
    this.value = value;
  }
}

/** A parsed value: integers beyond 2^53 are bigint; other numbers with a fraction are number. */
export type JsonValue = null | boolean | string | number | bigint | Decimal | JsonValue[] | JsonObject;

/**
 * A parsed object, in the order it was written; a repeated key keeps its first value, because that is the one that TF
 * Serving finds.
 */
export type JsonObject = Map<string, JsonValue>;

/** Deepest nesting of arrays and objects: deeper than any tensor, yet far from a stack overflow. */
const DEPTH_MAX = 128;

const NUMBER = /-?(?:Inf(?:inity)?|NaN|(?:0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?)/y;
// biome-ignore lint/suspicious/noControlCharactersInRegex: JSON forbids them in strings
const PLAIN_STRING = /[^"\\\u0000-\u001f]*/y;
const SPACE = /[ \t\n\r]*/y;
const ESCAPES: Readonly<Record<string, string>> = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
};

/**
 * Parse the first JSON value of a text.
 *
 * @throws {ServingError} INVALID_ARGUMENT `JSON Parse error: … at offset: N`
 */
export function parseJson(text: string): JsonValue {
  const reader = new Reader(text);
  reader.space();
  if (reader.at === text.length) throw invalidArgument('JSON Parse error: The document is empty');
  return reader.value(0);
}

class Reader {
  readonly text: string;
  at = 0;

  constructor(text: string) {
    this.text = text;
  }

  space(): void {
    SPACE.lastIndex = this.at;
    SPACE.test(this.text);
    this.at = SPACE.lastIndex;
  }

  value(depth: number): JsonValue {
    if (depth > DEPTH_MAX) this.fail('Terminate parsing due to Handler error.');
    switch (this.text[this.at]) {
      case '"':
        return this.string();
      case '[':
        return this.array(depth);
      case '{':
        return this.object(depth);
      case 't':
        return this.word('true', true);
      case 'f':
        return this.word('false', false);
      case 'n':
        return this.word('null', null);
      default:
        return this.number();
    }
  }

  array(depth: number): JsonValue[] {
    const items: JsonValue[] = [];
    this.at++;
    this.space();
    if (this.take(']')) return items;
    for (;;) {
      items.push(this.value(depth + 1));
      this.space();
      if (this.take(']')) return items;
      if (!this.take(',')) this.fail('Missing a comma or ] after an array element.');
      this.space();
    }
  }

  object(depth: number): JsonObject {
    const members: JsonObject = new Map();
    this.at++;
    this.space();
    if (this.take('}')) return members;
    for (;;) {
      if (this.text[this.at] !== '"') this.fail('Missing a name for object member.');
      const name = this.string();
      this.space();
      if (!this.take(':')) this.fail('Missing a colon after a name of object member.');
      this.space();
      const value = this.value(depth + 1);
      if (!members.has(name)) members.set(name, value);
      this.space();
      if (this.take('}')) return members;
      if (!this.take(',')) this.fail('Missing a comma or } after an object member.');
      this.space();
    }
  }

  string(): string {
    const start = this.at++;
    let out = '';
    for (;;) {
      PLAIN_STRING.lastIndex = this.at;
      PLAIN_STRING.test(this.text);
      out += this.text.slice(this.at, PLAIN_STRING.lastIndex);
      this.at = PLAIN_STRING.lastIndex;
      const mark = this.text[this.at++];
      if (mark === '"') return out;
      if (mark !== '\\') {
        this.at = mark === undefined ? start : this.at - 1;
        this.fail(mark === undefined ? 'Missing a closing quotation mark in string.' : 'Invalid encoding in string.');
      }
      out += this.escape();
    }
  }

  escape(): string {
    const start = this.at - 1;
    const mark = this.text[this.at++];
    if (mark === 'u') {
      const code = this.text.slice(this.at, this.at + 4);
      if (!/^[0-9a-fA-F]{4}$/.test(code)) {
        this.at = start;
        this.fail('Incorrect hex digit after \\u escape in string.');
      }
      this.at += 4;
      return String.fromCharCode(Number.parseInt(code, 16));
    }
    const character = mark === undefined ? undefined : ESCAPES[mark];
    if (character === undefined) {
      this.at = start;
      this.fail('Invalid escape character in string.');
    }
    return character;
  }

  number(): JsonValue {
    NUMBER.lastIndex = this.at;
    const match = NUMBER.exec(this.text);
    if (!match) this.fail('Invalid value.');
    const [token, fraction, exponent] = match;
    this.at += token.length;
    if (fraction === undefined && exponent === undefined) {
      if (token.endsWith('N')) return Number.NaN;
      if (token.includes('I')) return token.startsWith('-') ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
      if (this.text[this.at] === '.') this.fail('Miss fraction part in number.');
      const whole = Number(token);
      return Number.isSafeInteger(whole) ? whole : integer(token, whole);
    }
    const value = Number(token);
    if (!Number.isFinite(value)) this.fail('Number too big to be stored in double.');
    return Number.isInteger(value) ? new Decimal(value) : value;
  }

  word<T extends JsonValue>(word: string, value: T): T {
    if (!this.text.startsWith(word, this.at)) this.fail('Invalid value.');
    this.at += word.length;
    return value;
  }

  take(mark: string): boolean {
    if (this.text[this.at] !== mark) return false;
    this.at++;
    return true;
  }

  fail(message: string): never {
    // Offsets count bytes, as in RapidJSON; characters before the mistake may take several bytes.
    const offset = Buffer.byteLength(this.text.slice(0, this.at));
    throw invalidArgument(`JSON Parse error: ${message} at offset: ${offset}`);
  }
}

/** The value of an integer token beyond 2^53: exact if it fits into 64 bits, else a double. */
function integer(token: string, rounded: number): bigint | Decimal {
  if (token.length > 20) return new Decimal(rounded);
  const exact = BigInt(token);
  return exact >= -(2n ** 63n) && exact < 2n ** 64n ? exact : new Decimal(rounded);
}
