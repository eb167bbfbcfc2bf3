/** The kinds of columns: who settles them, and for how long. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { columnsOfTable, tableOfColumns } from '../../src/attributes/columns.ts';
import { AttributeTable } from '../../src/attributes/table.ts';

const refused = { code: 'INVALID_ARGUMENT', message: "attribute 'x': expected a number, got string" };

test('what was checked holds until it is set or given up, as long as the last that needs it', () => {
  const table = new AttributeTable();
  assert.throws(() => table.check([{ x: 1 }, { x: 'one' }]), refused);
  const [first, second] = [table.check([{ x: 1 }, { x: 2 }]), table.check([{ x: 3 }])];
  assert.throws(() => table.check([{ y: true }, { x: 'one' }]), refused);
  first();
  assert.throws(() => table.check([{ x: 'one' }]), refused);
  second();
  // Neither was set, and what was refused holds nothing.
  const third = table.check([{ x: 'one', y: 'two' }]);
  table.set(0, { x: 'one', y: 'two' });
  third();
  assert.throws(() => table.check([{ x: 1 }]), { message: "attribute 'x': expected a text, got number" });
  table.check([{ x: null }, { x: 'three' }])();
});

test('values that do not fit are told from those that do', () => {
  const table = tableOfColumns({ x: ['one'], y: [1] }, 1);
  const problem = "attribute 'x': expected a text, got number";
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
