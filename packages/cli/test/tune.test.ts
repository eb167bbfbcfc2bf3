/** shortlist tune and bench: a tuned bundle reaches the recall with its default settings; exact indexes and errors. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { BruteForce, ScaNN } from 'shortlist';
import { recallOf } from 'shortlist/metrics';
import { loadBundle, saveBundle } from 'shortlist/node';
import { Generator } from 'shortlist/random';
import { runCommand, runCommandUntil } from './fixtures/run-command.ts';

const folder = mkdtempSync(join(tmpdir(), 'shortlist-tune-'));
after(() => rmSync(folder, { recursive: true }));
const DIMENSIONS = 8;
const ROWS = 5000;
const random = new Generator(3);
const data = Float32Array.from({ length: ROWS * DIMENSIONS }, () => random.normal());
const identifiers = Array.from({ length: ROWS }, (_, i) => `word ${i}`);
const slow = join(folder, 'words.shortlist');
const exact = join(folder, 'exact.shortlist');
const metadata = { attributes: { title: identifiers } };

async function write(): Promise<void> {
  const index = new ScaNN({ numLeaves: 100, numLeavesToSearch: 1, tree: 'always' });
  index.index({ data, dimensions: DIMENSIONS }, identifiers);
  await saveBundle(slow, { index, metadata });
  await saveBundle(exact, { index: new BruteForce().index({ data, dimensions: DIMENSIONS }, identifiers) });
}

test('Ctrl-C says that nothing was written', async () => {
  await write();
  const out = join(folder, 'interrupted.shortlist');
  const isTuning = ({ stderr }: { stderr: string }): boolean => stderr.includes('tuned with');
  const { code, stderr } = await runCommandUntil(isTuning, 'tune', slow, '--out', out);
  assert.deepEqual([code, existsSync(out)], [130, false]);
  assert.match(stderr, /shortlist: tune: interrupted, nothing was written \(ERR_ABORTED\)/);
});

test('a tuned bundle reaches the recall with its defaults, and keeps its other parts', async () => {
  await write();
  const out = join(folder, 'tuned.shortlist');
  const { code, stdout, stderr } = await runCommand('tune', slow, '--recall', '0.9', '--out', out);
  assert.equal(code, 0, stderr);
  assert.match(
    stdout,
    /tuned\.shortlist: recall@10 0\.9\d+ \(target .*\) with \d+ leaves searched and \d+ candidates reordered/,
  );
  assert.match(stderr, /500 candidates as queries/);
  const queries = { data: data.subarray(0, 200 * DIMENSIONS), dimensions: DIMENSIONS };
  const recall = async (path: string): Promise<number> => {
    const { index } = await loadBundle<number[], string>(path);
    assert.ok(index instanceof ScaNN);
    return recallOf(index.call(queries, 10), index.callExactly(queries, 10));
  };
  const [before, tuned] = [await recall(slow), await recall(out)];
  assert.ok(before < 0.6 && tuned > 0.87, `${before}, ${tuned}`);
  assert.deepEqual((await loadBundle(out)).metadata, metadata);
  const again = await runCommand('tune', slow, '--out', out);
  assert.equal(again.code, 1);
  assert.match(again.stderr, /exists already; --force replaces it/);
  const json = await runCommand('tune', slow, '--out', out, '--force', '--json');
  assert.equal((JSON.parse(json.stdout) as { event: string }).event, 'tuned');
});

test('an exact index has nothing to tune, and errors are one line', async () => {
  const out = join(folder, 'other.shortlist');
  const refused = await runCommand('tune', exact, '--out', out);
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /expected an approximate index, got an exact one, which has nothing to tune/);
  assert.equal((await runCommand('tune', slow)).code, 2);
  assert.equal((await runCommand('tune', slow, '--out', out, '--recal', '1')).code, 2);
  writeFileSync(join(folder, 'queries.txt'), '1\n');
  const vectors = await runCommand('tune', slow, '--out', out, '--queries', join(folder, 'queries.txt'));
  assert.match(vectors.stderr, /--queries needs a bundle whose queries are users/);
});

test('bench measures a bundle: an exact one finds everything', async () => {
  const { code, stdout, stderr } = await runCommand('bench', exact, '--seconds', '0.05');
  assert.equal(code, 0, stderr);
  assert.match(stdout, /5,000 candidates; measured with 500 candidates as queries, k 10\n/);
  assert.match(stdout, /one query at a time: p50 \d+\.\d{4} ms, p99 \d+\.\d{4} ms\n/);
  assert.match(stdout, /recall@10 against an exact search: 1\.0000\n/);
  const json = await runCommand('bench', slow, '--seconds', '0.05', '--k', '5', '--json');
  const figures = JSON.parse(json.stdout) as { recall: number; queriesPerSecond: number; k: number };
  assert.ok(figures.recall < 0.7 && figures.queriesPerSecond > 0 && figures.k === 5, json.stdout);
});
