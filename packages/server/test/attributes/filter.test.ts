import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { tableOfColumns } from '../../src/attributes/columns.ts';
import { checkFilter, checkFilterAttributes, compileFilter, type Filter } from '../../src/attributes/filter.ts';
import { AttributeTable } from '../../src/attributes/table.ts';
import type { AttributeValue } from '../../src/attributes/values.ts';

type Row = Record<string, AttributeValue>;

/** The meaning of a filter, read off its definition. */
function holds(filter: Filter, row: Row): boolean {
  if ('and' in filter) return filter.and.every((part) => holds(part, row));
  if ('or' in filter) return filter.or.some((part) => holds(part, row));
  if ('not' in filter) return !holds(filter.not, row);
  // A list matches where one of its values does.
  const values = (name: string): readonly unknown[] => (Array.isArray(row[name]) ? row[name] : [row[name]]);
  if ('equals' in filter) return Object.entries(filter.equals).every(([name, value]) => values(name).includes(value));
  if ('in' in filter) {
    return Object.entries(filter.in).every(([name, wanted]) => values(name).some((v) => wanted.includes(v as string)));
  }
  return Object.entries(filter.range).every(([name, bounds]) => {
    const { gt, gte, lt, lte } = bounds as Record<string, number>;
    return values(name).some(
      (value) =>
        typeof value === 'number' &&
        (gt === undefined || value > gt) &&
        (gte === undefined || value >= gte) &&
        (lt === undefined || value < lt) &&
        (lte === undefined || value <= lte),
    );
  });
}

const word = fc.constantFrom('x', 'y', 'z');
const number = fc.integer({ min: -3, max: 3 });
const row: fc.Arbitrary<Row> = fc.record({
  text: fc.option(word),
  number: fc.option(number),
  flag: fc.option(fc.boolean()),
  words: fc.option(fc.array(fc.oneof(word, number), { maxLength: 3 })),
});
const value = fc.oneof(word, number, fc.boolean(), fc.constant('never'));
const name = fc.constantFrom('text', 'number', 'flag', 'words', 'unknown');
const { filter } = fc.letrec<{ filter: Filter }>((tie) => ({
  filter: fc.oneof(
    { maxDepth: 3 },
    fc.tuple(name, value).map(([n, v]) => ({ equals: { [n]: v } })),
    fc.tuple(name, fc.array(value, { maxLength: 3 })).map(([n, v]) => ({ in: { [n]: v } })),
    fc
      .tuple(name, fc.dictionary(fc.constantFrom('gt', 'gte', 'lt', 'lte'), number, { minKeys: 1 }))
      .map(([n, bounds]) => ({ range: { [n]: { ...bounds } } })),
    fc.array(tie('filter'), { maxLength: 3 }).map((and) => ({ and })),
    fc.array(tie('filter'), { maxLength: 3 }).map((or) => ({ or })),
    tie('filter').map((not) => ({ not })),
  ),
}));

test('a compiled filter says what its definition says, and nothing behind the last row', () => {
  fc.assert(
    fc.property(fc.array(row, { maxLength: 70 }), filter, (rows, filter) => {
      const table = new AttributeTable();
      rows.forEach((values, i) => table.set(i, values));
      const words = compileFilter(checkFilter(filter), table, rows.length);
      const bits = Array.from({ length: words.length * 32 }, (_, i) => ((words[i >>> 5]! >>> (i & 31)) & 1) === 1);
      assert.deepEqual(
        bits.slice(0, rows.length),
        rows.map((values) => holds(filter, values)),
      );
      assert.ok(!bits.slice(rows.length).includes(true));
    }),
    { seed: 1 },
  );
});

test('what is no filter is refused, with its place', () => {
  const cases: [unknown, RegExp][] = [
    [null, /^filter: expected an object with one key/],
    [{ and: {} }, /^filter\.and: expected a list/],
    [{ and: [{ equals: { a: null } }] }, /^filter\.and\[0\]\.equals\.a: expected text, a number or a boolean/],
    [{ in: { a: 'x' } }, /^filter\.in\.a: expected a list/],
    [{ range: { a: { gt: Number.NaN } } }, /^filter\.range\.a: expected numbers/],
    [{ or: Array.from({ length: 300 }, () => ({ and: [] })) }, /at most 256 parts in 16 levels/],
  ];
  for (const [value, message] of cases) assert.throws(() => checkFilter(value), { message });
  let deep: unknown = { and: [] };
  for (let i = 0; i < 50; i++) deep = { not: deep };
  assert.throws(() => checkFilter(deep), /at most 256 parts in 16 levels/);
});

test('a filter on an attribute that is not there, or of another kind, is refused with what there is', () => {
  const table = new AttributeTable();
  assert.throws(() => checkFilterAttributes({ equals: { a: 1 } }, table), {
    message: 'filter.equals.a: unknown attribute, the candidates have none',
  });
  table.addColumn('genre', ['x']);
  table.addColumn('year', [1990]);
  table.addColumn('inStock', [true]);
  table.addColumn('later', [null]);
  const cases: [Filter, string][] = [
    [
      { equals: { gnre: 'x' } },
      "filter.equals.gnre: unknown attribute, did you mean 'genre'? Known: 'genre', 'year', 'inStock', 'later'",
    ],
    [
      { and: [{ not: { in: { toString: ['x'] } } }] },
      "filter.and[0].not.in.toString: unknown attribute, known: 'genre', 'year', 'inStock', 'later'",
    ],
    [{ equals: { year: '1990' } }, 'filter.equals.year: expected a number, the kind of the attribute, got "1990"'],
    [{ in: { genre: ['x', 5] } }, 'filter.in.genre: expected text, the kind of the attribute, got 5'],
    [
      { or: [{ equals: { inStock: 1 } }] },
      'filter.or[0].equals.inStock: expected a boolean, the kind of the attribute, got 1',
    ],
    [
      { range: { genre: { gt: 1 } } },
      'filter.range.genre: expected an attribute that is a number or a date, got one that is text',
    ],
  ];
  for (const [filter, message] of cases) {
    assert.throws(() => checkFilterAttributes(filter, table), { code: 'INVALID_ARGUMENT', message });
  }
  checkFilterAttributes(
    { and: [{ equals: { genre: 'y' } }, { range: { year: { gt: 1 } } }, { equals: { later: 1 } }] },
    table,
  );
});

test('dates are compared as instants, given as ISO 8601, as seconds or as milliseconds', () => {
  const days = ['1999-12-31', '2000-01-01', '2000-01-01T12:00:00.000Z', null, '2016-10-16T23:30:00-02:00'];
  const table = tableOfColumns({ released: days }, days.length, { released: 'date' });
  const rows = (filter: Filter): number[] => {
    checkFilterAttributes(checkFilter(filter), table);
    const [words] = compileFilter(filter, table, days.length);
    return days.flatMap((_, row) => ((words! >>> row) & 1 ? [row] : []));
  };
  const noon = Date.UTC(2000, 0, 1, 12);
  assert.deepEqual(rows({ range: { released: { gte: '2000-01-01' } } }), [1, 2, 4]);
  assert.deepEqual(rows({ range: { released: { gt: '2000-01-01T00:00:00Z', lt: '2016-10-17T01:30:00Z' } } }), [2]);
  assert.deepEqual(rows({ range: { released: { lte: noon } } }), [0, 1, 2]);
  assert.deepEqual(rows({ range: { released: { lt: noon / 1000 } } }), [0, 1]);
  assert.deepEqual(rows({ equals: { released: '2016-10-17T01:30Z' } }), [4]);
  assert.deepEqual(rows({ in: { released: ['2000-01-01', noon] } }), [1, 2]);
  assert.deepEqual(rows({ not: { range: { released: { lt: '2000-01-01' } } } }), [1, 2, 3, 4]);
});

test('lists and dates are compared with what they hold, and anything else is refused', () => {
  const table = tableOfColumns({ genres: [['x']], tags: [[1]], mixed: [['x', 1]], day: [null] }, 1, { day: 'date' });
  const cases: [Filter, string][] = [
    [
      { equals: { genres: 5 } },
      "filter.equals.genres: expected a value of the attribute's lists, which are of text, got 5",
    ],
    [
      { in: { tags: [1, '1'] } },
      'filter.in.tags: expected a value of the attribute\'s lists, which are of numbers, got "1"',
    ],
    [
      { range: { genres: { gt: 1 } } },
      'filter.range.genres: expected an attribute that is a number or a date, got one that is a list of text',
    ],
    [{ range: { tags: { gt: '2000-01-01' } } }, 'filter.range.tags: expected a number, got "2000-01-01"'],
    [{ equals: { day: 'soon' } }, 'filter.equals.day: expected a date, the kind of the attribute, got "soon"'],
  ];
  for (const [filter, message] of cases) {
    assert.throws(() => checkFilterAttributes(filter, table), { code: 'INVALID_ARGUMENT', message });
  }
  checkFilterAttributes({ in: { mixed: [1, 'y'] } }, table);
  checkFilterAttributes({ range: { tags: { gt: 0 } } }, table);
  assert.throws(() => checkFilter({ range: { day: { gt: '2000-02-30' } } }), /expected numbers or dates \(ISO 8601\)/);
});
