import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { coverageOf, joinItems } from '../../src/items/item-table.ts';
import { readItems } from '../../src/items/read-items.ts';
import { DATA, fileOf, golden, NEEDS_DATA } from '../files.ts';

const CSV =
  'movieId,title,genres,year,released,is_new,labels,extra\n' +
  '01,"Heat, The",Crime|Drama,1995,1995-12-15,true,"[""a"",""b""]",\n' +
  '1,Toy Story,Comedy,1994.5,1995-11-22 10:30:00,no,[],\n' +
  '2,,,,,,"[""c""]",\n' +
  '2,Again,Drama,1,1995-01-01,no,[],\n,Nobody,Drama,1,1995-01-01,no,[],\n';

test('items have types: text, lists, numbers, dates, booleans; missing values are null', async (t) => {
  const { items, identifierColumn, log } = await readItems(fileOf(t, 'movies.csv', CSV));
  assert.equal(identifierColumn, 'movieId');
  assert.deepEqual(items.identifiers, ['01', '1', '2']);
  assert.equal(items.title?.name, 'title');
  assert.deepEqual(
    items.columns.map(({ name, kind, values }) => [name, kind, ...values]),
    [
      ['title', 'text', 'Heat, The', 'Toy Story', null],
      ['genres', 'list', ['Crime', 'Drama'], ['Comedy'], null],
      ['year', 'number', 1995, 1994.5, null],
      ['released', 'date', '1995-12-15', '1995-11-22T10:30:00.000Z', null],
      ['is_new', 'boolean', true, false, null],
      ['labels', 'list', ['a', 'b'], [], ['c']],
    ],
  );
  assert.deepEqual(log.firstBroken, [
    { line: 5, reason: 'expected a new identifier, got "2" of line 4 again' },
    { line: 6, reason: 'movieId: expected an identifier, got nothing' },
  ]);
});

test('a table is joined by identifier, and unmatched rows and items are counted', async (t) => {
  const { items } = await readItems(fileOf(t, 'movies.csv', CSV));
  assert.deepEqual(coverageOf(items, ['1', '9', '2']), { withoutMetadata: 1, examples: ['9'], unused: 1 });
  assert.deepEqual(joinItems(items, ['1', '9'])[0], { name: 'title', kind: 'text', values: ['Toy Story', null] });
});

test('the column of identifiers is recognised by the known identifiers', async (t) => {
  const path = fileOf(t, 'items.csv', 'n,code,name\n1,x9,Heat\n2,x7,Toy Story\n');
  assert.equal((await readItems(path, { known: ['x7', 'x9'] })).identifierColumn, 'code');
  await assert.rejects(
    readItems(path, { known: ['nothing'] }),
    /expected identifiers of the interactions such as "nothing"/,
  );
  await assert.rejects(readItems(path, { identifierColumn: 'kode' }), /did you mean "code"\?/);
  await assert.rejects(
    readItems(path, { titleColum: 'name' } as object),
    /readItems: expected a known option, nearest is titleColumn, got "titleColum"/,
  );
});

test('Parquet lists and times are lists and dates', async () => {
  const { items } = await readItems(golden('interactions-snappy.parquet'), { identifierColumn: 'item_id' });
  const kinds = new Map(items.columns.map(({ name, kind, values }) => [name, [kind, values[1]]]));
  assert.deepEqual(kinds.get('tags'), ['list', ['a', 'b']]);
  assert.deepEqual(kinds.get('at'), ['date', '2020-01-01T00:01:00.000Z']);
  assert.deepEqual(kinds.get('ok'), ['boolean', false]);
});

test('the published movies of two MovieLens sets and the items of Amazon Beauty', { skip: NEEDS_DATA }, async () => {
  const small = await readItems(join(DATA!, 'movielens-latest-small-2016/movies.csv'));
  assert.deepEqual([small.items.identifiers.length, small.items.title?.values[0]], [9125, 'Toy Story (1995)']);
  assert.deepEqual(small.items.columns.find(({ name }) => name === 'genres')?.values[1], [
    'Adventure',
    'Children',
    'Fantasy',
  ]);
  const latin = await readItems(join(DATA!, 'movielens-100k/u.item'));
  assert.equal(latin.items.identifiers.length, 1682);
  assert.ok(latin.items.title!.values.includes('Misérables, Les (1995)'));
  const beauty = await readItems(join(DATA!, 's3rec-beauty/Beauty_item2attributes.json'));
  assert.equal(beauty.items.columns[0]!.kind, 'list');
});

test('semicolons separate list elements if these repeat, and are punctuation otherwise', async (t) => {
  const rows = Array.from({ length: 30 }, (_, i) => {
    const genres = ['war', 'drama', 'comedy'].slice(i % 3).join('; ');
    return `i${i},${genres},"A long sentence no. ${i}; and another one, which says more about it",a${i % 4}`;
  });
  const path = fileOf(t, 'semicolons.csv', `id,genres,text,plain\n${rows.join('\n')}\n`);
  const inferred = await readItems(path, { delimiter: ',' });
  assert.deepEqual(
    inferred.items.columns.map(({ name, kind, values }) => [name, kind, values[1]]),
    [
      ['genres', 'list', ['drama', 'comedy']],
      ['text', 'text', 'A long sentence no. 1; and another one, which says more about it'],
      ['plain', 'text', 'a1'],
    ],
  );
  assert.deepEqual(inferred.log.notes, ['genres: read as lists, separated by ";"']);
  const told = await readItems(path, { delimiter: ',', listColumns: ['plain'] });
  assert.deepEqual(
    told.items.columns.map(({ name, kind, values }) => [name, kind, values[1]]),
    [
      ['genres', 'text', 'drama; comedy'],
      ['text', 'text', 'A long sentence no. 1; and another one, which says more about it'],
      ['plain', 'list', ['a1']],
    ],
  );
  await assert.rejects(readItems(path, { listColumns: ['genre'] }), {
    message: /listColumns: expected a column of .*semicolons.csv, got "genre": did you mean "genres"/,
  });
});

test('numbers in arrays stay numbers; missing elements are left out', async (t) => {
  const lines = [
    '{"id": "a", "tags": [28, 12, null, "x"]}',
    '{"id": "b", "tags": []}',
    '{"id": "c", "tags": [true, 1.5]}',
  ];
  const { items } = await readItems(fileOf(t, 'tags.jsonl', `${lines.join('\n')}\n`), { identifierColumn: 'id' });
  assert.deepEqual(items.columns[0]!.values, [[28, 12, 'x'], [], ['true', 1.5]]);
  const csv = await readItems(fileOf(t, 'ids.csv', 'id;tags\na;[28, 12]\nb;[3]\n'), { identifierColumn: 'id' });
  assert.deepEqual(csv.items.columns[0]!.values, [[28, 12], [3]]);
});

test('options set which columns are lists: a column with commas is one, and a column with bars is text', async (t) => {
  const csv = 'id,tags,genres\n1,"a, b",x|y\n2,c,z\n';
  const path = fileOf(t, 'tags.csv', csv);
  const { items } = await readItems(path, { identifierColumn: 'id', listColumns: ['tags'] });
  assert.deepEqual(
    items.columns.map(({ name, values }) => [name, ...values]),
    [
      ['tags', ['a', 'b'], ['c']],
      ['genres', 'x|y', 'z'],
    ],
  );
});
