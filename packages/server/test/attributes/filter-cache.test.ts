/** Compiled filters: kept while the attributes that they name do not change, compiled again when they change. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Filter } from '../../src/attributes/filter.ts';
import { FilterCache } from '../../src/attributes/filter-cache.ts';
import { AttributeTable } from '../../src/attributes/table.ts';

const shoes: Filter = { and: [{ equals: { category: 'shoes' } }, { not: { range: { price: { gt: 50 } } } }] };
const inStock: Filter = { equals: { inStock: true } };

function makeTable(): AttributeTable {
  const table = new AttributeTable();
  table.addColumn('category', ['shoes', 'hats', 'shoes']);
  table.addColumn('price', [10, 20, 90]);
  table.addColumn('inStock', [true, true, false]);
  return table;
}

test('a change drops the filters that name the attribute, and no other', () => {
  const table = makeTable();
  const cache = new FilterCache(table);
  const kept = cache.words(shoes, 3);
  const dropped = cache.words(inStock, 3);
  assert.deepEqual([kept[0], dropped[0]], [0b001, 0b011]);
  table.set(2, { category: 'shoes', price: 90, inStock: true });
  assert.equal(cache.words(shoes, 3), kept);
  assert.equal(cache.words(inStock, 3)[0], 0b111);
  table.set(2, { category: 'shoes', price: 40, inStock: true });
  assert.equal(cache.words(shoes, 3)[0], 0b101);
  table.move(1, 0);
  assert.equal(cache.words(shoes, 3)[0], 0b100);
});

test('an attribute that comes later, one that goes, and more rows are seen', () => {
  const table = makeTable();
  const cache = new FilterCache(table);
  const red: Filter = { equals: { colour: 'red' } };
  assert.equal(cache.words(red, 3)[0], 0);
  table.set(1, { colour: 'red' });
  assert.equal(cache.words(red, 3)[0], 0b010);
  assert.equal(cache.words(inStock, 3)[0], 0b011);
  table.clear(1);
  assert.equal(cache.words(red, 3)[0], 0);
  assert.equal(cache.words(inStock, 3)[0], 0b001);
  table.set(3, { inStock: true });
  assert.equal(cache.words(inStock, 4)[0], 0b1001);
  assert.equal(cache.words({ not: inStock }, 5)[0], 0b10110);
});
