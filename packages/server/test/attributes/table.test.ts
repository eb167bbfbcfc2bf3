/** The kinds of columns: the values that decide a kind, and how long it stays. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { columnsOfTable, kindsOfTable, tableOfColumns } from '../../src/attributes/columns.ts';
import { dateText, parseDate } from '../../src/attributes/dates.ts';
import { AttributeTable } from '../../src/attributes/table.ts';

const refused = { code: 'INVALID_ARGUMENT', message: 'candidates[0].attributes.x: expected a number, got "one"' };

test('what was checked holds until it is set or given up, as long as the last that needs it', () => {
  const table = new AttributeTable();
  const refusedSecond = { ...refused, message: refused.message.replace('[0]', '[1]') };
  assert.throws(() => table.check([{ x: 1 }, { x: 'one' }]), refusedSecond);
  const [first, second] = [table.check([{ x: 1 }, { x: 2 }]), table.check([{ x: 3 }])];
  assert.throws(() => table.check([{ y: true }, { x: 'one' }]), refusedSecond);
  first();
  assert.throws(() => table.check([{ x: 'one' }]), refused);
  second();
  // Neither was set, and what was refused holds nothing.
  const third = table.check([{ x: 'one', y: 'two' }]);
  table.set(0, { x: 'one', y: 'two' });
  third();
  assert.throws(() => table.check([{ x: 1 }]), {
    message: 'candidates[0].attributes.x: expected text, got 1',
  });
  table.check([{ x: null }, { x: 'three' }])();
});

test('text that no Protobuf message can hold is refused, as a value, in a list and as a name', () => {
  const table = new AttributeTable();
  for (const values of [{ x: '\ud800' }, { x: ['a', 'b\udc00'] }, { 'x\ud800': 1 }]) {
    assert.throws(() => table.check([values]), {
      code: 'INVALID_ARGUMENT',
      message: /^candidates\[0\]\.attributes(\.x|\["x\\ud800"\]): expected .*Unicode text/,
    });
  }
  table.check([{ x: '😀', y: ['😀', 1] }])();
});

test('values that do not fit are told from those that do', () => {
  const table = tableOfColumns({ x: ['one'], y: [1] }, 1);
  const problem = 'attributes.x: expected text, got 1';
  assert.deepEqual(table.fitting({ x: 1, y: 2, z: true, w: null }), { values: { y: 2, z: true, w: null }, problem });
  assert.deepEqual(table.fitting({ x: null, y: 2 }), { values: { x: null, y: 2 }, problem: undefined });
});

test('a column without a value settles no kind: not in a bundle, and not when its last value went', () => {
  const loaded = tableOfColumns({ x: [null, null] }, 2);
  loaded.check([{ x: 1 }])();
  loaded.set(1, { x: 1 });
  assert.deepEqual(columnsOfTable(loaded, 2), { x: [null, 1] });
  loaded.select([0]).check([{ x: 'one' }])();
});

test('values are merged into a row: null takes one away, what is not named stays', () => {
  const table = tableOfColumns({ genre: ['x', 'y'], year: [1, 2] }, 2);
  table.set(0, { genre: 'z' });
  assert.deepEqual(table.valuesOf(0), { genre: 'z', year: 1 });
  table.set(0, { year: null, unknown: null });
  assert.deepEqual([table.valuesOf(0), table.valuesOf(1)], [{ genre: 'z' }, { genre: 'y', year: 2 }]);
  assert.deepEqual(table.names, ['genre', 'year']);
  table.clear(0);
  assert.deepEqual(table.valuesOf(0), {});
});

test('names of what every object inherits are names as others', () => {
  const names = ['toString', 'valueOf', 'constructor', '__proto__', 'hasOwnProperty'];
  const table = new AttributeTable();
  table.check([{}])();
  for (const name of names) table.addColumn(name, ['x', null]);
  table.set(1, {});
  assert.deepEqual([Object.entries(table.valuesOf(0)).length, Object.entries(table.valuesOf(1)).length], [5, 0]);
  const values = JSON.parse('{"__proto__": "y", "valueOf": "z"}');
  table.check([values])();
  table.set(1, values);
  assert.deepEqual(Object.entries(table.valuesOf(1)), [
    ['valueOf', 'z'],
    ['__proto__', 'y'],
  ]);
  const again = tableOfColumns(JSON.parse(JSON.stringify(columnsOfTable(table, 2))), 2);
  assert.deepEqual([again.names, again.valuesOf(1)], [table.names, table.valuesOf(1)]);
});

test('an attribute without any value keeps its name', () => {
  const table = tableOfColumns({ genre: [null], year: [1] }, 1);
  assert.deepEqual([table.names, table.has('genre'), table.columns.has('genre')], [['year', 'genre'], true, false]);
  assert.deepEqual(columnsOfTable(table.select([]), 0), { genre: [], year: [] });
  table.set(0, { genre: 'x' });
  assert.deepEqual(table.names, ['year', 'genre']);
});

test('lists and dates come back from a bundle as they were, and bundles without kinds hold what their values are', () => {
  const columns = {
    genres: [['drama', 'war'], null, [], ['war', 'drama']],
    released: ['2000-01-01', '2016-10-16T21:30:00.250Z', null, '1969-12-31'],
    barred: ['drama|war', null, 'war', ''],
    empty: [null, null, null, null],
  };
  const table = tableOfColumns(columns, 4, { released: 'date' });
  const { empty: _, ...typed } = columns;
  assert.deepEqual(columnsOfTable(table, 4), { ...typed, empty: columns.empty });
  const kinds = kindsOfTable(table, columnsOfTable(table, 4));
  assert.deepEqual(kinds, { genres: 'list', released: 'date', barred: 'text' });
  const again = tableOfColumns(JSON.parse(JSON.stringify(columnsOfTable(table, 4))), 4, kinds);
  assert.deepEqual(columnsOfTable(again.select([3, 1]), 2), {
    genres: [['war', 'drama'], null],
    released: ['1969-12-31', '2016-10-16T21:30:00.250Z'],
    barred: ['', null],
    empty: [null, null],
  });
  // Without its kind a date is text, as in bundles of older versions.
  assert.equal(tableOfColumns({ released: columns.released }, 4).columns.get('released')!.kind, 'text');
  assert.throws(() => tableOfColumns(columns, 4, { released: 'datum' }), {
    message: 'attributeKinds.released: expected one of text, number, boolean, date, list, got "datum"',
  });
  assert.throws(() => tableOfColumns({ day: ['soon'] }, 1, { day: 'date' }), {
    message: 'attributes.day: expected a date like the values before, got "soon" in row 0',
  });
  assert.throws(() => tableOfColumns({ odd: [{ a: 1 }] }, 1), /expected text, numbers, booleans or lists of these/);
  assert.throws(() => tableOfColumns({ odd: [['a', null]] }, 1), /expected text, numbers, booleans or lists of these/);
});

test('updates carry lists and dates; another kind is refused and a column that did not change stands still', () => {
  const table = tableOfColumns({ genres: [['drama']], released: ['2000-01-01'] }, 1, { released: 'date' });
  table.check([
    { genres: ['war', 7], released: 946_684_800 },
    { genres: [], released: '2000-01-01T00:00Z' },
  ])();
  const { generation } = table.columns.get('released')!;
  table.set(0, { genres: ['war', 7], released: 946_684_800 });
  assert.deepEqual(table.valuesOf(0), { genres: ['war', 7], released: '2000-01-01' });
  assert.equal(table.columns.get('released')!.generation, generation);
  table.set(0, { genres: null });
  assert.deepEqual(table.valuesOf(0), { released: '2000-01-01' });
  assert.deepEqual(table.valuesOf(0, ['genres']), {});
  const cases: [object, string][] = [
    [{ genres: 'war' }, 'genres: expected a list, got "war"'],
    [{ released: ['2000-01-01'] }, 'released: expected a date, got a list of 1'],
    [{ released: '2000-13-01' }, 'released: expected a date as ISO 8601 writes it, got "2000-13-01"'],
    [
      { genres: ['war', null] },
      'genres: expected text, a finite number, a boolean, or a list of text and numbers, got a list of 2',
    ],
  ];
  for (const [values, message] of cases)
    assert.throws(() => table.check([values as never]), { message: `candidates[0].attributes.${message}` });
});

test('what is no date of the calendar is none', () => {
  for (const text of [
    '2000-02-30',
    '2000-1-1',
    '2000-01-01T24:00',
    '2000-01-01T10:60',
    '0000-00-00',
    '',
    '2000',
    'now',
  ]) {
    assert.equal(parseDate(text), undefined, text);
  }
  for (const value of [Number.NaN, Number.POSITIVE_INFINITY, 1e17, true, null])
    assert.equal(parseDate(value), undefined);
  assert.equal(dateText(parseDate('0099-01-01')!), '0099-01-01');
  assert.equal(dateText(parseDate('2000-02-29 23:59:59.999+05:30')!), '2000-02-29T18:29:59.999Z');
  fc.assert(
    fc.property(fc.date({ noInvalidDate: true }), (date) => {
      assert.equal(parseDate(dateText(date.getTime())), date.getTime());
    }),
    { seed: 1 },
  );
});
