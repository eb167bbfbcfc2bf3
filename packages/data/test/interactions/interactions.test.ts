import assert from 'node:assert/strict';
import { readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { interactionsOf } from 'shortlist';
import { describeFindings, describeInteractions } from '../../src/interactions/describe.ts';
import { likedRows } from '../../src/interactions/liked-rows.ts';
import { readInteractions } from '../../src/interactions/read-interactions.ts';
import { DATA, fileOf, golden, NEEDS_DATA } from '../files.ts';

const CSV =
  'userId,movieId,rating,timestamp\n007,10,4.5,1476640644\n7,10,3,1476640645\n007,11,5,1476640646\n007,10,4,1476640647\n';

test('a CSV becomes codes, vocabularies and numbers for the library', async (t) => {
  const { table, inferred, quality } = await readInteractions(fileOf(t, 'ratings.csv', CSV));
  const columns = table.select();
  assert.deepEqual(columns.users, { codes: Int32Array.of(0, 1, 0, 0), vocabulary: ['007', '7'] });
  assert.deepEqual(columns.items, { codes: Int32Array.of(0, 0, 1, 0), vocabulary: ['10', '11'] });
  assert.deepEqual(columns.values, Float32Array.of(4.5, 3, 5, 4));
  assert.deepEqual(columns.times, Float64Array.of(1476640644, 1476640645, 1476640646, 1476640647));
  assert.equal(interactionsOf(columns).length, 4);
  assert.deepEqual([inferred.feedback, inferred.like, inferred.isLikeProposed], ['explicit', 'rating >= 4', true]);
  assert.deepEqual([quality.duplicates, quality.usersWithOneRow, quality.itemsWithOneRow], [1, 1, 1]);
});

test('the rows to train on are the likes by the inferred condition, with their own vocabularies', async (t) => {
  const path = fileOf(t, 'ratings.csv', `${CSV}9,12,1,1476640648\n9,11,4,1476640649\n`);
  const liked = likedRows(await readInteractions(path));
  assert.deepEqual(liked.users, { codes: Int32Array.of(0, 0, 0, 1), vocabulary: ['007', '9'] });
  assert.deepEqual(liked.items, { codes: Int32Array.of(0, 1, 0, 1), vocabulary: ['10', '11'] });
  assert.deepEqual(liked.values, Float32Array.of(4.5, 5, 4, 4));
  const told = await readInteractions(path, { like: 'rating >= 1' });
  assert.equal(likedRows(told).length, 6, 'a given condition is not replaced');
});

test('the recognised columns are described in three lines', async (t) => {
  const path = fileOf(t, 'ratings.csv', CSV);
  const lines = describeInteractions(await readInteractions(path, { like: 'rating > 3' }));
  assert.deepEqual(lines, [
    `${path}: CSV, with a header, UTF-8, 4 rows`,
    'user = userId (1 user), item = movieId (2 items), value = rating, explicit feedback, time = timestamp, seconds, 2016-10-16 to 2016-10-16, likes are rating > 3: 3 rows',
    '1 duplicate (the same user and item), 0 users and 1 item with only one row, no broken rows',
  ]);
});

test('the condition of a like selects rows; select() selects among these', async (t) => {
  const path = fileOf(t, 'ratings.csv', CSV);
  const { table } = await readInteractions(path, { like: 'rating >= 4 and userId != 7' });
  assert.deepEqual(table.select().values, Float32Array.of(4.5, 5, 4));
  assert.deepEqual(table.select((row) => table.values!.at(row) > 4).items.codes, Int32Array.of(0, 1));
});

test('columns are recognised by name, by content and by position', async (t) => {
  const cases: [string, Record<string, string>][] = [
    [
      'reviewerID,asin,overall,unixReviewTime\na,b,5,1252800000\nc,b,1,1252800000\n',
      { user: 'reviewerID', item: 'asin', value: 'overall', time: 'unixReviewTime' },
    ],
    [
      'timestamp,visitorid,event,itemid,transactionid\n1433221332117,257597,view,355908,\n1433221332118,257598,view,355909,1\n',
      { user: 'visitorid', item: 'itemid', event: 'event', time: 'timestamp' },
    ],
    ['userID\tartistID\tweight\n2\t51\t13883\n2\t52\t11690\n', { user: 'userID', item: 'artistID', weight: 'weight' }],
    [
      '1::1193::5::978300760\n1::661::3::978302109\n2::661::4::978302110\n',
      { user: 'column_1', item: 'column_2', value: 'column_3', time: 'column_4' },
    ],
    ['196\t242\t881250949\n186\t302\t891717742\n', { user: 'column_1', item: 'column_2', time: 'column_3' }],
    ['anna,x1\nbob,y1\nanna,z1\n', { user: 'column_1', item: 'column_2' }],
    [
      't_dat,customer_id,article_id,price\n2018-09-20,000058a1,0663713001,0.05\n2018-09-21,000058a2,0541518023,0.03\n',
      { user: 'customer_id', item: 'article_id', time: 't_dat' },
    ],
    ['score,who,what\n1,a,b\n5,c,b\n', { user: 'who', item: 'what', value: 'score' }],
  ];
  for (const [text, expected] of cases) {
    const { inferred } = await readInteractions(fileOf(t, 'file.txt', text));
    const roles = Object.entries(inferred.files[0]!.roles).filter(([, role]) => role !== undefined);
    assert.deepEqual(Object.fromEntries(roles.map(([name, role]) => [name, role.name])), expected);
  }
});

test('options set the columns, and a misspelt name is refused with the nearest name', async (t) => {
  const path = fileOf(t, 'log.csv', 'buyer,seller,sku,rating\na,b,c,1\nd,e,f,2\n');
  const { inferred } = await readInteractions(path, { userColumn: 'seller', valueColumn: 'none' });
  assert.deepEqual([inferred.files[0]!.roles.user.name, inferred.files[0]!.roles.value], ['seller', undefined]);
  await assert.rejects(
    readInteractions(path, { userColumn: 'sellr' }),
    /userColumn: expected a column of .*, got "sellr": did you mean "seller"\?/,
  );
  await assert.rejects(
    readInteractions(path, { like: 'raiting > 1' }),
    /like: expected a column, got "raiting": did you mean "rating"\?/,
  );
  await assert.rejects(
    readInteractions(path, { userColum: 'x' } as object),
    /readInteractions: expected a known option, nearest is userColumn, got "userColum"/,
  );
  await assert.rejects(
    readInteractions(path, { userColumn: 'sku', itemColumn: 'sku' }),
    /expected a column without a role/,
  );
  await assert.rejects(readInteractions(path, { userColumn: 'constructor' }), { code: 'ERR_OPTION' });
});

test('broken rows are counted, and the first ten are reported with their lines', async (t) => {
  const bad = [
    ',1,5,1476640644',
    '1, ,5,1476640644',
    '1,2,x,1476640644',
    '1,2,5,yesterday',
    '1,2,,1476640644',
    '1,2,5',
  ];
  const rows = [
    'userId,movieId,rating,timestamp',
    ...Array.from({ length: 40 }, (_, i) => `${i},2,5,1476640644`),
    ...bad,
    ...bad,
  ];
  const path = fileOf(t, 'ratings.csv', rows.join('\n'));
  const read = await readInteractions(path);
  assert.deepEqual([read.quality.rows, read.quality.broken, read.quality.firstBroken.length], [40, 12, 10]);
  assert.deepEqual(
    read.quality.firstBroken
      .slice(0, 6)
      .map(({ line, reason }) => `${line}: ${reason}`)
      .sort(),
    [
      '42: userId: expected an identifier, got nothing',
      '43: movieId: expected an identifier, got nothing',
      '44: rating: expected a number, got "x"',
      '45: timestamp: expected a time, got "yesterday"',
      '46: rating: expected a number, got nothing',
      '47: expected 4 fields, got 3',
    ],
  );
  assert.equal(describeFindings(read).at(-1), 'and 2 more rows left out');
  await assert.rejects(readInteractions(path, { strict: true }), { code: 'ERR_DATA' });
});

test('a file without valid rows is an error that names the first broken one', async (t) => {
  const path = fileOf(t, 'ratings.csv', 'userId,movieId,timestamp\n1,2,never\n');
  await assert.rejects(
    readInteractions(path, { timeColumn: 'timestamp' }),
    /got no valid row; the first .* line 2: timestamp: expected a time/,
  );
});

test('several notations of time in one column are read correctly and reported', async (t) => {
  const path = fileOf(
    t,
    'log.csv',
    'user,item,time\na,b,1476640644\nc,d,1476640644000\ne,f,2016-10-16T19:57:24+02:00\n',
  );
  const { table, inferred } = await readInteractions(path);
  assert.deepEqual(table.select().times, new Float64Array(3).fill(1476640644));
  assert.match(inferred.notes.join('\n'), /1 in milliseconds, 1 in text with a zone, 1 in seconds/);
});

test('spaces around identifiers are removed, which is reported', async (t) => {
  const { table, inferred } = await readInteractions(fileOf(t, 'log.csv', 'user, item\n1, a\n2, a\n'));
  assert.deepEqual(table.select().items.vocabulary, ['a']);
  assert.match(inferred.notes.join(), /spaces around 2 identifiers/);
});

test('several files are one set; files with different columns are an error', async (t) => {
  const a = fileOf(t, 'train.txt', '0 5 6 7\n1 5\n2 8 9\n');
  const b = fileOf(t, 'valid.txt', '0 1\n2 5 7 8\n');
  // An undefined option is the same as a missing one.
  const { table } = await readInteractions([a, b], { timeColumn: undefined });
  const { length, items, times } = table.select();
  assert.deepEqual([length, items.vocabulary.length], [10, 6]);
  assert.ok(Math.min(...times!.slice(6)) > Math.max(...times!.slice(0, 6)));
  const c = fileOf(t, 'more.csv', 'user,item\n1,2\n3,4\n');
  await assert.rejects(readInteractions([a, c]), /expected a column of times, because .*train\.txt has one, got none/);
});

test('a Parquet column of another type is converted or refused', async () => {
  const path = golden('interactions-zstd.parquet');
  const { table, quality } = await readInteractions(path);
  assert.deepEqual([quality.rows, quality.broken, quality.firstBroken[0]?.line], [239, 1, 6]);
  assert.equal(table.select().items.vocabulary[0], '9000000000000000');
  assert.equal(table.select().times![0], Date.UTC(2020, 0, 1) / 1000);
  const lists = await readInteractions(path, { valueColumn: 'ok' });
  assert.deepEqual([...new Set(lists.table.select().values)].sort(), [0, 1]);
  await assert.rejects(readInteractions(path, { valueColumn: 'tags' }), /no valid row; .*tags: expected a number/);
});

test('an interrupted read is ERR_ABORTED', async (t) => {
  const path = fileOf(t, 'ratings.csv', CSV);
  await assert.rejects(readInteractions(path, { signal: AbortSignal.abort() }), { code: 'ERR_ABORTED' });
});

test('the published files of movielens-latest-small-2016, movielens-100k and gowalla', {
  skip: NEEDS_DATA,
}, async () => {
  const read = async (...names: string[]) => readInteractions(names.map((name) => join(DATA!, name)));
  const small = await read('movielens-latest-small-2016/ratings.csv');
  assert.deepEqual(
    [small.quality.rows, small.quality.users, small.quality.items, small.quality.broken],
    [100_004, 671, 9066, 0],
  );
  assert.equal(small.inferred.like, 'rating >= 4');
  const tab = await read('movielens-100k/u.data');
  assert.deepEqual(
    [tab.quality.rows, tab.quality.users, tab.quality.items, tab.quality.duplicates],
    [100_000, 943, 1682, 0],
  );
  const rows = readFileSync(join(DATA!, 'movielens-100k/u.data'), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => line.split('\t'));
  const { users, items, values, times } = tab.table.select();
  for (let i = 0; i < rows.length; i += 997) {
    const [user, item, value, time] = rows[i]!;
    assert.deepEqual(
      [users.vocabulary[users.codes[i]!], items.vocabulary[items.codes[i]!], values![i], times![i]],
      [user, item, Number(value), Number(time)],
    );
  }
  const gowalla = await read('gowalla/train.txt', 'gowalla/valid.txt');
  assert.deepEqual([gowalla.quality.rows, gowalla.quality.users, gowalla.quality.items], [810_128, 29_858, 40_981]);
  assert.equal((await read('s3rec-beauty/Beauty.txt')).quality.items, 12_101);
});

test('a column whose name has a role that its content does not fit is named, unless an option says what it is', async (t) => {
  const rows = Array.from(
    { length: 20 },
    (_, i) => `u${i % 4},i${i},${i % 2 === 0 ? 4 : 'good'},${['x', 'y'][i % 2]},`,
  );
  const path = fileOf(t, 'words.csv', `user,item,rating,timestamp,weight\n${rows.join('\n')}\n`);
  const expected = [
    'timestamp is not used as time: fewer than 95 % of its values are dates, or numbers',
    'rating is not used as value: fewer than 95 % of its values are numbers',
    'weight is not used: it has no values',
  ];
  assert.deepEqual(describeFindings(await readInteractions(path)), expected);
  const none = { timeColumn: 'none', valueColumn: 'none', weightColumn: 'none' };
  assert.deepEqual(describeFindings(await readInteractions(path, none)), []);
  assert.deepEqual(describeFindings(await readInteractions(fileOf(t, 'fits.csv', CSV))), []);
});

test('a file that is given twice, by its name or by a link, is refused', async (t) => {
  const path = fileOf(t, 'ratings.csv', CSV);
  const link = `${path}.link`;
  symlinkSync(path, link);
  const message = (name: string, end = ''): object => ({
    code: 'ERR_DATA',
    message: `${name}: expected different files, got one twice${end}`,
  });
  await assert.rejects(readInteractions([path, path]), message(path));
  await assert.rejects(readInteractions([path, link]), message(link, `: it is ${path}`));
  assert.equal((await readInteractions([path, fileOf(t, 'copy.csv', CSV)])).inferred.counts.rows, 8);
});
