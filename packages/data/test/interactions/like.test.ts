import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Cell } from '../../src/columns/cell.ts';
import { parseLike } from '../../src/inference/like.ts';

const NAMES = ['rating', 'event', 'play count', 'tags', 'code'];

function holds(expression: string, row: readonly Cell[]): boolean {
  const like = parseLike(expression, NAMES);
  return like.test(
    like.columns.map((column) => [row[column]!]),
    0,
  );
}

test('expressions select the right rows', () => {
  const row: Cell[] = ['4.0', 'buy', 12, ['a', 'b'], '007'];
  const yes = [
    'rating >= 4',
    'rating>3',
    'rating = 4',
    'rating == 4.00',
    'rating != 5',
    'not rating < 4',
    'rating <= 4 and event = buy',
    'rating > 4 or event = "buy"',
    "event in (cart, 'buy')",
    'event not in (view)',
    '(rating > 9 or rating < 5) and not event = view',
    '"play count" >= 12',
    'tags = b',
    'tags in (c, a)',
    'code = 007',
    'rating > 9 or rating < 5 and event = buy',
    'RATING = 4 or event = buy'.replace('RATING', 'rating'),
  ];
  for (const text of yes) assert.equal(holds(text, row), true, text);
  const no = [
    'rating > 4',
    'event = view',
    'code = 7',
    'tags = c',
    'event < 5',
    'rating in (1, 2)',
    'not (rating = 4)',
  ];
  for (const text of no) assert.equal(holds(text, row), false, text);
  for (const text of ['rating >= 0', 'rating != 5', 'rating in (1)', 'rating not in (1)'])
    assert.equal(holds(text, [null, null, null, null, null]), false, text);
});

test('a syntax error names its place', () => {
  const cases: [string, RegExp][] = [
    ['rating', /expected =, !=, <, <=, >, >= or in, got the end/],
    ['rating >', /expected a value, got the end/],
    ['rating > 4 event = buy', /expected and, or, or the end, got "event"/],
    ['(rating > 4', /expected \), got the end/],
    ['event in buy', /expected \(, got "buy"/],
    ['rating > 4 && 1', /got "&& 1"/],
    ['ratng > 4', /did you mean "rating"\?/],
    ['', /expected the name of a column, got the end/],
  ];
  for (const [text, message] of cases) assert.throws(() => parseLike(text, NAMES), message, text);
});
