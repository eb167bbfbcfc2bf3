/**
 * Parses the expressions that select likes among rows: `rating >= 4`, `event = purchase or rating > 3`,
 * `event in (buy, cart) and not country = US`.
 *
 * Grammar: or ← and ('or' and)* · and ← not ('and' not)* · not ← 'not' not | '(' or ')' | comparison ·
 * comparison ← column (= | == | != | <> | < | <= | > | >=) value | column ['not'] 'in' '(' value (',' value)* ')'.
 * A word with characters other than a-z, digits, _ and . must be in quotes. Two numbers are compared as numbers, everything
 * else as text. A comparison with a missing cell is false.
 */
import { OptionError } from 'shortlist';
import { checkArgument, STRING, WORDS } from 'shortlist/options';
import { type Cell, type Cells, isMissing, numberOf, textOf } from '../columns/cell.ts';
import { suggestion } from './suggestion.ts';

/** Tests a row of a batch; its columns are those of `Like.columns`, in that order. */
export type RowTest = (columns: readonly Cells[], row: number) => boolean;

/** A parsed expression. */
export interface Like {
  readonly text: string;
  /** The positions in the table of the columns that it reads. */
  readonly columns: readonly number[];
  readonly test: RowTest;
}

const TOKEN =
  /\s*(?:(<=|>=|==|!=|<>|=|<|>)|([(),])|"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'|(-?[\p{L}\p{N}_.][\p{L}\p{N}_.:-]*))/uy;

interface Token {
  readonly kind: 'operator' | 'mark' | 'word' | 'quoted';
  readonly text: string;
}

/**
 * Parses an expression over the columns of a table.
 *
 * @throws {OptionError} when the syntax is wrong, or a column does not exist
 */
export function parseLike(text: string, columns: readonly string[]): Like {
  checkArgument('text', text, STRING);
  checkArgument('columns', columns, WORDS);
  return new LikeParser(text, columns).parse();
}

class LikeParser {
  readonly #text: string;
  readonly #names: readonly string[];
  readonly #tokens: readonly Token[];
  readonly #columns: number[] = [];
  #at = 0;

  constructor(text: string, names: readonly string[]) {
    this.#text = text;
    this.#names = names;
    this.#tokens = tokensOf(text);
  }

  parse(): Like {
    const test = this.#or();
    if (this.#at < this.#tokens.length) throw this.#expected('and, or, or the end');
    return { text: this.#text, columns: this.#columns, test };
  }

  #or(): RowTest {
    let test = this.#and();
    while (this.#takeWord('or')) {
      const [left, right] = [test, this.#and()];
      test = (columns, row) => left(columns, row) || right(columns, row);
    }
    return test;
  }

  #and(): RowTest {
    let test = this.#not();
    while (this.#takeWord('and')) {
      const [left, right] = [test, this.#not()];
      test = (columns, row) => left(columns, row) && right(columns, row);
    }
    return test;
  }

  #not(): RowTest {
    if (this.#takeWord('not')) {
      const test = this.#not();
      return (columns, row) => !test(columns, row);
    }
    if (this.#takeMark('(')) {
      const test = this.#or();
      if (!this.#takeMark(')')) throw this.#expected(')');
      return test;
    }
    return this.#comparison();
  }

  #comparison(): RowTest {
    const name = this.#value('the name of a column');
    const column = this.#columnOf(name);
    const isNegated = this.#takeWord('not');
    if (this.#takeWord('in')) {
      const values = new Set<string>();
      if (!this.#takeMark('(')) throw this.#expected('(');
      do values.add(canonical(this.#value('a value')));
      while (this.#takeMark(','));
      if (!this.#takeMark(')')) throw this.#expected(') or a comma');
      return (columns, row) => {
        const cell = columns[column]![row]!;
        return !isMissing(cell) && anyOf(cell, (part) => values.has(canonical(textOf(part).trim()))) !== isNegated;
      };
    }
    const operator = this.#tokens[this.#at];
    if (isNegated || operator?.kind !== 'operator') throw this.#expected('=, !=, <, <=, >, >= or in');
    this.#at++;
    return comparison(column, operator.text, this.#value('a value'));
  }

  /** The position of the column in `Like.columns`. */
  #columnOf(name: string): number {
    const number = this.#names.indexOf(name);
    if (number === -1) {
      throw new OptionError(`like: expected a column, got ${JSON.stringify(name)}: ${suggestion(name, this.#names)}`);
    }
    const at = this.#columns.indexOf(number);
    return at === -1 ? this.#columns.push(number) - 1 : at;
  }

  #value(what: string): string {
    const token = this.#tokens[this.#at];
    if (token?.kind !== 'word' && token?.kind !== 'quoted') throw this.#expected(what);
    this.#at++;
    return token.text;
  }

  #takeWord(word: string): boolean {
    const token = this.#tokens[this.#at];
    if (token?.kind !== 'word' || token.text.toLowerCase() !== word) return false;
    this.#at++;
    return true;
  }

  #takeMark(mark: string): boolean {
    const token = this.#tokens[this.#at];
    if (token?.kind !== 'mark' || token.text !== mark) return false;
    this.#at++;
    return true;
  }

  #expected(what: string): OptionError {
    const got = this.#tokens[this.#at];
    const found = got === undefined ? 'the end' : JSON.stringify(got.text);
    return new OptionError(`like: expected ${what}, got ${found} in ${JSON.stringify(this.#text)}`);
  }
}

function tokensOf(text: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  while (at < text.trimEnd().length) {
    TOKEN.lastIndex = at;
    const match = TOKEN.exec(text);
    if (!match)
      throw new OptionError(
        `like: expected an expression such as rating >= 4, got ${JSON.stringify(text.slice(at).trim())}`,
      );
    at = TOKEN.lastIndex;
    const [, operator, mark, double, single, word] = match;
    if (operator !== undefined) tokens.push({ kind: 'operator', text: operator });
    else if (mark !== undefined) tokens.push({ kind: 'mark', text: mark });
    else if (word !== undefined) tokens.push({ kind: 'word', text: word });
    else tokens.push({ kind: 'quoted', text: (double ?? single)!.replace(/\\(.)/g, '$1') });
  }
  return tokens;
}

/** Numbers in one notation, so that 4, 4.0 and '4' are the same value. */
function canonical(text: string): string {
  const value = numberOf(text);
  return Number.isNaN(value) || /^[+-]?0\d/.test(text) ? text : String(value);
}

/** True if any element of a list passes the test. */
function anyOf(cell: Cell, test: (part: Cell) => boolean): boolean {
  return Array.isArray(cell) ? cell.some(test) : test(cell);
}

const ORDERS: ReadonlyMap<string, (order: number) => boolean> = new Map([
  ['<', (order: number) => order < 0],
  ['<=', (order: number) => order <= 0],
  ['>', (order: number) => order > 0],
  ['>=', (order: number) => order >= 0],
]);

function comparison(column: number, operator: string, value: string): RowTest {
  const order = ORDERS.get(operator);
  if (order === undefined) {
    const wanted = canonical(value);
    const isEqual = operator === '=' || operator === '==';
    return (columns, row) => {
      const cell = columns[column]![row]!;
      return !isMissing(cell) && anyOf(cell, (part) => canonical(textOf(part).trim()) === wanted) === isEqual;
    };
  }
  const limit = numberOf(value);
  return (columns, row) => {
    const cell = columns[column]![row]!;
    if (isMissing(cell)) return false;
    return anyOf(cell, (part) => {
      const number = numberOf(part);
      if (!Number.isNaN(limit)) return !Number.isNaN(number) && order(number - limit);
      return order(textOf(part).trim() < value ? -1 : textOf(part).trim() > value ? 1 : 0);
    });
  };
}
