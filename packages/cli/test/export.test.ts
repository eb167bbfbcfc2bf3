/** shortlist export: the recommendations for a list of users, in each format, read back by our own readers. */
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { openTable } from '@shortlist/data';
import { BruteForce, type Features, Matrix, SeenItems, Tower } from 'shortlist';
import { saveBundle } from 'shortlist/node';
import { exportRows } from '../src/export/command.ts';
import { runCommand } from './fixtures/run-command.ts';

const folder = mkdtempSync(join(tmpdir(), 'shortlist-export-'));
after(() => rmSync(folder, { recursive: true }));

async function run(...argv: string[]): Promise<{ code: number; stderr: string }> {
  const { code, stderr } = await runCommand('export', ...argv);
  return { code, stderr };
}

test('each format has one row per recommendation; an existing file is kept', async () => {
  const bundle = join(folder, 'x.shortlist');
  const tower = Tower.create({ vocabulary: ['42', '7'], dimensions: 2 });
  const candidates = Matrix.from('candidates', [
    [1, 0],
    [0, 1],
    [1, 1],
  ]);
  const index = new BruteForce<Features, string>({ queryModel: tower }).index(candidates, ['007', 'b, "c"', 'd']);
  await saveBundle(bundle, { index });
  const queries = join(folder, 'users.txt');
  writeFileSync(queries, '42\n7\n');
  const expected = ['42', '7'].flatMap((user) =>
    index
      .call([user], 2)
      .hits()
      .map(({ identifier, score }, i) => [user, i + 1, identifier, score]),
  );
  for (const ending of ['csv', 'jsonl', 'parquet']) {
    const out = join(folder, `recommendations.${ending}`);
    assert.deepEqual(await run(bundle, '--queries', queries, '--k', '2', '--out', out), { code: 0, stderr: '' });
    const rows: unknown[][] = [];
    for await (const batch of (await openTable(out)).batches()) {
      for (let row = 0; row < batch.rows; row++) {
        const [query, rank, identifier, score] = batch.columns.map((cells) => cells[row]!);
        rows.push([query, Number(rank), identifier, Number(score)]);
      }
    }
    assert.deepEqual(rows, expected, ending);
    assert.match((await run(bundle, '--queries', queries, '--out', out)).stderr, /exists already; --force replaces it/);
  }
  assert.equal((await run(bundle, '--queries', queries, '--out', join(folder, 'x.txt'))).code, 2);
  assert.match((await run(bundle, '--queries', join(folder, 'no'), '--out', join(folder, 'y.csv'))).stderr, /ERR_IO/);
});

test('without --queries all users of the model are exported, and seen items are left out if the bundle is set so', async () => {
  const bundle = join(folder, 'seen.shortlist');
  const queryModel = Tower.create({ vocabulary: ['u1', 'u2'], dimensions: 2 });
  const candidates = Matrix.from('candidates', [
    [1, 0],
    [0, 1],
    [1, 1],
  ]);
  const index = new BruteForce<Features, string>({ queryModel }).index(candidates, ['a', 'b', 'c']);
  const seenItems = SeenItems.fromInteractions(
    {
      length: 3,
      users: { codes: Int32Array.of(0, 0, 1), vocabulary: ['u1', 'u2'] },
      items: { codes: Int32Array.of(0, 1, 2), vocabulary: ['a', 'b', 'c'] },
    },
    { excludeSeen: true },
  );
  await saveBundle(bundle, { index, seenItems });
  const found = async (...flags: string[]): Promise<string[]> => {
    const out = join(folder, 'all.csv');
    assert.deepEqual(await run(bundle, '--out', out, '--force', ...flags), { code: 0, stderr: '' });
    const lines = readFileSync(out, 'utf8').trim().split('\n').slice(1);
    return lines
      .map((line) =>
        line
          .split(',')
          .filter((_, i) => i === 0 || i === 2)
          .join(' '),
      )
      .sort();
  };
  assert.deepEqual(await found(), ['u1 c', 'u2 a', 'u2 b']);
  assert.deepEqual(await found('--no-exclude-seen'), ['u1 a', 'u1 b', 'u1 c', 'u2 a', 'u2 b', 'u2 c']);
});

test('neighbours, embeddings and users have known values in each format, and no incomplete file is left', async () => {
  const bundle = join(folder, 'seen.shortlist');
  const exported = async (what: string, name: string, ...flags: string[]): Promise<string> => {
    const out = join(folder, name);
    assert.deepEqual(await run(bundle, '--what', what, '--out', out, ...flags), { code: 0, stderr: '' });
    return out;
  };
  const near = readFileSync(await exported('neighbours', 'near.csv', '--k', '1'), 'utf8')
    .trim()
    .split('\n');
  assert.deepEqual(
    near.map((line) => line.split(',').slice(0, 3).join(' ')),
    ['candidate rank identifier', 'a 1 c', 'b 1 c', 'c 1 a'],
  );
  assert.ok(Math.abs(Number(near[1]!.split(',')[3]) - Math.SQRT1_2) < 1e-6);
  assert.equal(
    readFileSync(await exported('embeddings', 'vectors.csv'), 'utf8'),
    'identifier,vector_0,vector_1\na,1,0\nb,0,1\nc,1,1\n',
  );
  assert.equal(
    readFileSync(await exported('embeddings', 'vectors.jsonl'), 'utf8').split('\n')[2],
    '{"identifier":"c","vector":[1,1]}',
  );
  const npy = readFileSync(await exported('embeddings', 'vectors.npy'));
  const start = 10 + npy.readUInt16LE(8);
  assert.equal(start % 64, 0);
  assert.match(npy.toString('latin1', 10, start), /'descr': '<f4', 'fortran_order': False, 'shape': \(3, 2\)/);
  assert.deepEqual([...new Float32Array(new Uint8Array(npy.subarray(start)).buffer)], [1, 0, 0, 1, 1, 1]);
  assert.equal(readFileSync(join(folder, 'vectors.ids.txt'), 'utf8'), 'a\nb\nc\n');
  const rows: unknown[][] = [];
  for await (const batch of (await openTable(await exported('embeddings', 'vectors.parquet'))).batches()) {
    for (let row = 0; row < batch.rows; row++) rows.push(batch.columns.map((cells) => String(cells[row])));
  }
  assert.deepEqual(rows, [
    ['a', '1', '0'],
    ['b', '0', '1'],
    ['c', '1', '1'],
  ]);
  const users = readFileSync(await exported('users', 'users.jsonl'), 'utf8')
    .trim()
    .split('\n');
  assert.deepEqual(
    users.map((line) => (JSON.parse(line) as { user: string }).user),
    ['u1', 'u2'],
  );
  assert.match((await run(bundle, '--what', 'embeddings', '--out', join(folder, 'vectors.npy'))).stderr, /--force/);
  assert.equal((await run(bundle, '--what', 'neighbours', '--out', join(folder, 'near.npy'))).code, 2);
  assert.equal((await run(bundle, '--what', 'users', '--k', '2', '--out', join(folder, 'u.csv'))).code, 2);
  assert.deepEqual(
    readdirSync(folder).filter((name) => name.endsWith('.tmp')),
    [],
  );
});

test('a Parquet of several batches has all rows, in order', async () => {
  const bundle = join(folder, 'many.shortlist');
  const ids = Array.from({ length: 600 }, (_, i) => `i${i}`);
  const candidates = Matrix.from(
    'candidates',
    ids.map((_, i) => [i, 1]),
  );
  await saveBundle(bundle, { index: new BruteForce<Features, string>().index(candidates, ids) });
  const out = join(folder, 'many.parquet');
  assert.deepEqual(await run(bundle, '--what', 'embeddings', '--out', out), { code: 0, stderr: '' });
  const rows: string[] = [];
  for await (const batch of (await openTable(out)).batches()) {
    for (let row = 0; row < batch.rows; row++) rows.push(batch.columns.map((cells) => String(cells[row])).join(' '));
  }
  assert.deepEqual(
    rows,
    ids.map((id, i) => `${id} ${i} 1`),
  );
});

test('an interrupted export keeps the existing file and leaves no part of a new one', async () => {
  const out = join(folder, 'kept.csv');
  writeFileSync(out, 'before\n');
  const controller = new AbortController();
  controller.abort();
  const stderr: string[] = [];
  const environment = {
    stdout: { write: () => true },
    stderr: { write: (text: string) => stderr.push(text) },
    variables: {},
    now: () => 0,
    signal: controller.signal,
  };
  const bundle = join(folder, 'many.shortlist');
  await assert.rejects(
    exportRows([bundle, '--what', 'neighbours', '--out', out, '--force'], environment),
    /interrupted, nothing was written/,
  );
  assert.equal(readFileSync(out, 'utf8'), 'before\n');
  assert.deepEqual(
    readdirSync(folder).filter((name) => name.endsWith('.tmp')),
    [],
  );
});

test('a user whose identifier looks like JSON is a user, in export and in query', async () => {
  const bundle = join(folder, 'braces.shortlist');
  const users = ['{', '{"a":1}', '{x}', ' {y'];
  const tower = Tower.create({ vocabulary: users, dimensions: 2 });
  const index = new BruteForce<Features, string>({ queryModel: tower }).index(
    [
      [1, 0],
      [-1, 0],
      [0, 1],
    ],
    ['p', 'q', 'r'],
  );
  await saveBundle(bundle, { index });
  const out = join(folder, 'braces.jsonl');
  const { code, stderr } = await run(bundle, '--out', out, '--k', '1');
  assert.equal(code, 0, stderr);
  const rows = readFileSync(out, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { query: string; identifier: string });
  const best = users.map((user) => [user, index.call([user], 1).identifiers()[0]]);
  assert.deepEqual(
    rows.map(({ query, identifier }) => [query, identifier]),
    best,
  );
  const asked = await runCommand('query', bundle, '{x}', '--k', '1', '--json');
  assert.deepEqual([asked.stderr, JSON.parse(asked.stdout).identifier], ['', best[2]![1]]);
  assert.match((await runCommand('query', bundle, '{z}')).stderr, /query: expected features as JSON, got "\{z\}"/);
});
