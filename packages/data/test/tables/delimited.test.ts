import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { openTable, readInteractions } from '../../src/index.ts';
import { fileOf, readAll } from '../files.ts';

test('delimiters and headers are recognised', async (t) => {
  const cases: [string, string[], number][] = [
    ['userId,movieId,rating\n1,2,3.5\n4,5,1\n', ['userId', 'movieId', 'rating'], 2],
    ['1::1193::5::978300760\n1::661::3::978302109\n', ['column_1', 'column_2', 'column_3', 'column_4'], 2],
    ['196\t242\t3\t881250949\n186\t302\t3\t891717742\n', ['column_1', 'column_2', 'column_3', 'column_4'], 2],
    ['user;item;value\na;b;3,5\nc;d;4,0\n', ['user', 'item', 'value'], 2],
    ['id|title|genres\n1|Toy Story|Comedy\n2|Heat|Crime\n', ['id', 'title', 'genres'], 2],
    ['who what\nann x\nbob y\nann z\n', ['who', 'what'], 3],
    ['ann,x\nbob,y\nann,z\n', ['column_1', 'column_2'], 3],
    ['user_id:token\titem_id:token\n1\t2\n', ['user_id:token', 'item_id:token'], 1],
    ['at,user,item\n2016-10-16 17:57:24,1,2\n2016-10-16 17:57:25,1,3\n', ['at', 'user', 'item'], 2],
  ];
  for (const [text, names, rows] of cases) {
    const read = await readAll(fileOf(t, 'file.txt', text));
    assert.deepEqual([read.names, read.rows.length, read.log.broken], [names, rows, 0], text);
  }
});

test('a first line that tells Excel the delimiter is no row', async (t) => {
  for (const line of ['sep=;\n', 'SEP=;\r\n']) {
    const read = await readAll(fileOf(t, 'excel.csv', `${line}user;title\nu1;a, b\nu2\nu3;c\n`));
    assert.deepEqual(read.names, ['user', 'title']);
    assert.deepEqual(read.rows, [
      ['u1', 'a, b'],
      ['u3', 'c'],
    ]);
    assert.deepEqual(
      read.log.firstBroken.map(({ line }) => line),
      [4],
    );
  }
});

test('decimal commas between semicolons are read as numbers, and the description names their columns', async (t) => {
  const text = 'user;item;rating;note\nu1;a;4,5;x,y\nu1;b;3;1,2,3\nu2;a;"-0,25";4,5\n';
  const path = fileOf(t, 'ratings.csv', text);
  const read = await readAll(path);
  assert.deepEqual(
    read.rows.map((row) => row.slice(2)),
    [
      ['4.5', 'x,y'],
      ['3', '1,2,3'],
      ['-0.25', '4,5'],
    ],
  );
  assert.match((await openTable(path)).description, /semicolon, with a header, decimal commas in rating,/);
  const { table } = await readInteractions(path);
  assert.deepEqual(
    [0, 1, 2].map((row) => table.values!.at(row)),
    [4.5, 3, -0.25],
  );
});

test('a comma is no decimal sign beside decimal points and between other delimiters', async (t) => {
  for (const [text, wanted] of [
    ['user;item;plays\nu1;a;1,234\nu2;b;10.5\n', ['1,234', '10.5']],
    ['user\titem\tplays\nu1\ta\t1,234\nu2\tb\t7\n', ['1,234', '7']],
    ['user,item,plays\nu1,a,"1,234"\nu2,b,7\n', ['1,234', '7']],
  ] as const) {
    const { rows } = await readAll(fileOf(t, 'plays.csv', text));
    assert.deepEqual(
      rows.map((row) => row[2]),
      wanted,
    );
  }
});

test('a column of ratings with commas that may not be decimal signs is refused, and read without it on demand', async (t) => {
  const path = fileOf(t, 'ratings.csv', 'user,item,rating\nu1,a,"4,5"\nu1,b,3\nu2,a,"0,5"\n');
  await assert.rejects(readInteractions(path), {
    code: 'ERR_DATA',
    message: /: rating: expected numbers with a decimal point, got numbers with a comma, .*valueColumn none reads/,
  });
  const { table } = await readInteractions(path, { valueColumn: 'none' });
  assert.deepEqual([table.length, table.values], [3, undefined]);
});

test('a page of HTML and a header without rows are refused by what they are', async (t) => {
  const page = fileOf(t, 'ratings.csv', '\n<!DOCTYPE html><html><body>404 not found</body></html>\n');
  await assert.rejects(readAll(page), { code: 'ERR_DATA', message: /expected a table, got HTML or XML/ });
  const header = fileOf(t, 'header.csv', 'user,item\n');
  await assert.rejects(readInteractions(header), {
    code: 'ERR_DATA',
    message: `${header}: expected rows, got none that has a value in user, item`,
  });
});

test('options set the delimiter and the header', async (t) => {
  const path = fileOf(t, 'file.txt', 'a/b\nc/d\n');
  assert.deepEqual((await readAll(path, { delimiter: '/', header: true })).names, ['a', 'b']);
  assert.deepEqual((await readAll(path, { delimiter: '/', header: false })).rows, [
    ['a', 'b'],
    ['c', 'd'],
  ]);
});

test('any table is read as it was written, wherever chunks end', async (t) => {
  const field = fc.oneof(
    fc.string({ unit: 'grapheme' }),
    fc.constantFrom('a "quoted" word', 'two\nlines', 'two\r\nlines', ',', '""', ' x '),
  );
  const cell = field.map((text) => text.replace(/\0|\ufeff|\r(?!\n)/g, ''));
  const quoted = (text: string): string => `"${text.replaceAll('"', '""')}"`;
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(cell, cell, cell), { minLength: 1, maxLength: 40 }),
      fc.constantFrom('\n', '\r\n'),
      async (rows, end) => {
        const text = [['user', 'item', 'title'], ...rows].map((fields) => fields.map(quoted).join(',')).join(end);
        const read = await readAll(fileOf(t, 'file.csv', text));
        assert.deepEqual(read.rows, rows);
        assert.equal(read.log.broken, 0);
        let line = 2;
        rows.forEach((fields, i) => {
          assert.equal(read.lines[i], line);
          line += 1 + fields.join('').split('\n').length - 1;
        });
      },
    ),
    { numRuns: 60 },
  );
});

test('rows across chunks of a large file keep their line numbers', async (t) => {
  const lines = Array.from({ length: 60_000 }, (_, i) =>
    i % 1000 === 7 ? `u${i},"a\n""b""",1` : `u${i},i${i % 77},${i % 5}`,
  );
  const { rows, lines: at, log } = await readAll(fileOf(t, 'large.csv', `user,item,rating\n${lines.join('\n')}`));
  assert.equal(rows.length, 60_000);
  assert.equal(log.broken, 0);
  assert.deepEqual(rows[7], ['u7', 'a\n"b"', '1']);
  assert.deepEqual(rows[59_999], ['u59999', `i${59_999 % 77}`, '4']);
  // One more line for each of the sixty fields of two lines.
  assert.equal(at[59_999], 60_001 + 60);
});

test('ragged rows are broken and reported with their lines; strict throws at the first', async (t) => {
  const path = fileOf(t, 'ragged.csv', 'user,item,rating\n1,2,3\n1,2\n\n4,5,6,7\n7,8,9\n');
  const { rows, lines, log } = await readAll(path);
  assert.deepEqual(rows, [
    ['1', '2', '3'],
    ['7', '8', '9'],
  ]);
  assert.deepEqual(lines, [2, 6]);
  assert.deepEqual(log.firstBroken, [
    { line: 3, reason: 'expected 3 fields, got 2' },
    { line: 5, reason: 'expected 3 fields, got 4' },
  ]);
  await assert.rejects(readAll(path, { strict: true }), /ragged\.csv:3: expected 3 fields, got 2/);
});

test('an unclosed quote breaks its line and not the rest of the file', async (t) => {
  const body = (n: number): string[] => Array.from({ length: n }, (_, i) => `${i},"t ${i}",5`);
  const short = ['user,title,rating', ...body(3), '9,"open,5', ...body(50)].join('\n');
  const read = await readAll(fileOf(t, 'open.csv', short));
  assert.equal(read.rows.length, 53);
  assert.deepEqual(
    read.log.firstBroken.map(({ line }) => line),
    [5],
  );
  const long = [
    'user,title,rating',
    ...body(3),
    '9,"open,5',
    ...Array.from({ length: 200_000 }, (_, i) => `${i},t${i},5`),
  ].join('\n');
  const large = await readAll(fileOf(t, 'large.csv', long));
  assert.equal(large.rows.length, 200_003);
  assert.deepEqual(
    large.log.firstBroken.map(({ line }) => line),
    [5],
  );
  assert.equal(large.lines.at(-1), 200_005);
});

test('quotes that are ordinary characters, as in MovieLens-1M, are kept', async (t) => {
  const { rows } = await readAll(fileOf(t, 'movies.dat', '1::"Great" Cats (1998)::Drama\n2::Heat (1995)::Crime\n'));
  assert.deepEqual(rows[0], ['1', '"Great" Cats (1998)', 'Drama']);
  const tabs = Array.from({ length: 40 }, (_, i) => `${i}\t"Nick${i}" name\t5`).join('\n');
  assert.equal((await readAll(fileOf(t, 'names.tsv', tabs))).rows[3]![1], '"Nick3" name');
});

test('byte order marks and encodings: UTF-8, UTF-16, latin-1 without a mark', async (t) => {
  const text = 'user,item\nJürgen,Amélie\n';
  const rows = [['Jürgen', 'Amélie']];
  const marked = await readAll(fileOf(t, 'bom.csv', `\ufeff${text}`));
  assert.deepEqual([marked.names, marked.rows], [['user', 'item'], rows]);
  const latin = await readAll(fileOf(t, 'latin.csv', Buffer.from(text, 'latin1')));
  assert.deepEqual(latin.rows, rows);
  assert.deepEqual(latin.log.notes, ['encoding: latin-1 (windows-1252), because the bytes are not valid UTF-8']);
  const wide = await readAll(fileOf(t, 'wide.csv', Buffer.from(`\ufeff${text}`, 'utf16le')));
  assert.deepEqual([wide.names, wide.rows], [['user', 'item'], rows]);
  const damaged = await readAll(
    fileOf(t, 'damaged.csv', Buffer.concat([Buffer.from(text.repeat(3)), Buffer.from([0x61, 0xff, 0x2c, 0x62, 10])])),
  );
  assert.equal(damaged.rows.length, 6);
  // After the sample, which is ASCII, so that only reading finds the encoding.
  const late = Buffer.concat([
    Buffer.from('user,item\n'),
    Buffer.from('ann,x\n'.repeat(100_000)),
    Buffer.from('J\xfcrgen,y\n', 'latin1'),
  ]);
  const read = await readAll(fileOf(t, 'late.csv', late));
  assert.deepEqual(read.rows.at(-1), ['Jürgen', 'y']);
  assert.equal(read.log.notes.length, 1);
});

test('empty, repeated and unusual names of columns', async (t) => {
  const { names, log } = await readAll(fileOf(t, 'names.csv', 'user,item,item,,__proto__\n1,2,3,4,5\n'));
  assert.deepEqual(names, ['user', 'item', 'item_2', 'column_4', '__proto__']);
  assert.equal(log.notes.length, 2);
});

test('line ends: CRLF, CR alone, and both kinds in one file', async (t) => {
  for (const text of [
    'user,item\r\n1,2\r\n3,4\r\n',
    'user,item\r1,2\r3,4',
    'user,item\n1,2\r\n3,4\n',
    'user,item\r\n1,"2"\r\n3,"4"\r\n',
  ]) {
    assert.deepEqual(
      (await readAll(fileOf(t, 'file.csv', text))).rows,
      [
        ['1', '2'],
        ['3', '4'],
      ],
      JSON.stringify(text),
    );
  }
});
