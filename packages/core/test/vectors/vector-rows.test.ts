/** Rows of vectors from JavaScript: every kind of numbers is taken, and what is no number is refused by its row. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ShapeError } from '../../src/errors/errors.ts';
import { BruteForce } from '../../src/index.ts';
import type { VectorsLike } from '../../src/vectors/matrix.ts';
import { isRow } from '../../src/vectors/vector-rows.ts';

/** The best candidate for a query whose own row is the first. */
function best(vectors: unknown): string {
  const index = new BruteForce<never, string>({ k: 1 });
  index.index(vectors as VectorsLike, ['a', 'b', 'c']);
  return index.call([3, -4] as never).identifiers()[0]!;
}

const ROWS = [
  [3, -4],
  [1, 0],
  [0, 1],
];

test('rows of every kind of numbers are taken, frozen ones and those behind a proxy too', () => {
  const kinds: readonly { name: string; from(row: number[]): ArrayLike<number> }[] = [
    ...[Float32Array, Float64Array, Int8Array, Int32Array, Array],
  ];
  for (const Row of kinds) assert.equal(best(ROWS.map((row) => Row.from(row))), 'a', Row.name);
  assert.equal(best(Object.freeze(ROWS.map((row) => Object.freeze([...row])))), 'a');
  assert.equal(best(new Proxy(ROWS, {})), 'a');
  assert.equal(best({ data: Float64Array.from(ROWS.flat()), dimensions: 2 }), 'a');
});

test('values that are no numbers are refused, wherever they are', () => {
  const refused: readonly (readonly [unknown, RegExp])[] = [
    // JSON has null in place of NaN: as a number it would be 0.
    [[[3, -4], [1, null], ROWS[2]], /^candidates: expected rows of numbers, got an array of 2 in row 1$/],
    [[[3, -4], ROWS[1], [0, '1']], /^candidates: expected rows of numbers, got an array of 2 in row 2$/],
    [ROWS.map((row) => BigInt64Array.from(row.map(BigInt))), /got BigInt64Array of 16 bytes in row 0$/],
    [ROWS.map((row) => new DataView(Float32Array.from(row).buffer)), /got DataView of 8 bytes in row 0$/],
    // biome-ignore lint/suspicious/noSparseArray: a row that is missing is the case
    [[ROWS[0], , ROWS[2]], /^candidates: expected rows of numbers, got undefined in row 1$/],
    [{ data: ROWS.flat(), dimensions: 2 }, /^candidates: expected rows of 2 numbers, got an array of 6$/],
    [
      { data: new BigInt64Array(6), dimensions: 2 },
      /^candidates: expected rows of 2 numbers, got BigInt64Array of 48 bytes$/,
    ],
  ];
  for (const [vectors, message] of refused) {
    assert.throws(
      () => best(vectors),
      (error: unknown) => error instanceof ShapeError && message.test(error.message),
      `${message}`,
    );
  }
});

test('a row is told from other values', () => {
  for (const row of [[], [1], new Float32Array(), new Uint8Array(2)]) assert.ok(isRow(row));
  for (const other of [undefined, null, 5, 'a', {}, ['a'], [1, 'a'], [[1]], new DataView(new ArrayBuffer(8))]) {
    assert.ok(!isRow(other));
  }
});
