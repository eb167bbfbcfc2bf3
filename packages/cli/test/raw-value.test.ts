/** Cells of tables as raw values of features: numbers, lists and times that a file has as text, and cells that the spec then refuses. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Cell } from '@shortlist/data';
import type { FeatureSpec } from 'shortlist/features';
import { rawValue } from '../src/train/raw-value.ts';

const CASES: readonly (readonly [FeatureSpec, Cell, unknown])[] = [
  [{ type: 'string' }, 'a|b', 'a|b'],
  [{ type: 'string' }, 1994, '1994'],
  [{ type: 'string' }, true, 'true'],
  [{ type: 'string' }, ['a'], ['a']],
  [{ type: 'text' }, ['Drama', 'War'], 'Drama War'],
  [{ type: 'integer' }, '42', 42],
  [{ type: 'integer' }, '9007199254740993', 9007199254740993n],
  [{ type: 'integer' }, '4.5', '4.5'],
  [{ type: 'number' }, ' 1.5e3', 1500],
  [{ type: 'number' }, 'old', 'old'],
  [{ type: 'number' }, 7n, 7],
  [{ type: 'time', part: 'hour' }, '1500000000', 1_500_000_000],
  [{ type: 'time', part: 'hour' }, '2024-05-01', '2024-05-01'],
  [{ type: 'bag' }, 'Drama | War', ['Drama', 'War']],
  [{ type: 'bag' }, '["a", 5]', ['a', '5']],
  [{ type: 'bag' }, '[brackets]', ['[brackets]']],
  [{ type: 'bag', of: 'integer' }, '3;4', [3, 4]],
  [{ type: 'sequence' }, [1, 2], ['1', '2']],
  [{ type: 'vector', length: 2 }, '[0.5, 1]', [0.5, 1]],
  [{ type: 'vector', length: 2 }, '0.5;1', [0.5, 1]],
  [{ type: 'number' }, '', undefined],
  [{ type: 'bag' }, '  ', undefined],
  [{ type: 'vector', length: 2 }, null, undefined],
];

test('cells are converted where nothing is lost, and stay as they are otherwise', () => {
  for (const [spec, cell, expected] of CASES) assert.deepEqual(rawValue(spec, cell), expected, JSON.stringify(spec));
});
