/** shortlist export: the recommendations for a list of users, in each format, read back by our own readers. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { openTable } from '@shortlist/data';
import { BruteForce, type Features, Matrix, SeenItems, Tower } from 'shortlist';
import { saveBundle } from 'shortlist/node';
import { said as saidBy } from './fixtures/said.ts';

const folder = mkdtempSync(join(tmpdir(), 'shortlist-export-'));
after(() => rmSync(folder, { recursive: true }));

async function said(...argv: string[]): Promise<{ code: number; stderr: string }> {
  const { code, stderr } = await saidBy('export', ...argv);
  return { code, stderr };
}

test('each format holds a row a recommendation; a file that exists is kept', async () => {
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
    assert.deepEqual(await said(bundle, '--queries', queries, '--k', '2', '--out', out), { code: 0, stderr: '' });
    const rows: unknown[][] = [];
    for await (const batch of (await openTable(out)).batches()) {
      for (let row = 0; row < batch.rows; row++) {
        const [query, rank, identifier, score] = batch.columns.map((cells) => cells[row]!);
        rows.push([query, Number(rank), identifier, Number(score)]);
      }
    }
    assert.deepEqual(rows, expected, ending);
    assert.match(
      (await said(bundle, '--queries', queries, '--out', out)).stderr,
      /exists already; --force replaces it/,
    );
  }
  assert.equal((await said(bundle, '--queries', queries, '--out', join(folder, 'x.txt'))).code, 2);
  assert.match((await said(bundle, '--queries', join(folder, 'no'), '--out', join(folder, 'y.csv'))).stderr, /ERR_IO/);
});

test('without --queries all users of the model are asked, and what each has seen is left out as the bundle says', async () => {
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
    assert.deepEqual(await said(bundle, '--out', out, '--force', ...flags), { code: 0, stderr: '' });
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
