/** Training from a file: the same bits as from memory, after a kill, and errors that name the line. */
import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { Tower, TwoTowerModel } from 'shortlist';
import type { Checkpoint } from 'shortlist/training';
import { tableSource } from '../../src/index.ts';

const folder = mkdtempSync(join(tmpdir(), 'shortlist-source-'));
after(() => rmSync(folder, { recursive: true }));

const rows = Array.from({ length: 90 }, (_, i) => [`u${i % 7}`, `m${(i * 5) % 11}`, `${1 + (i % 3)}`] as const);
const path = join(folder, 'rows.csv');
writeFileSync(path, `user,movie,weight\n${rows.map((row) => row.join(',')).join('\n')}\n`);

const words = (letter: string, count: number): string[] => Array.from({ length: count }, (_, i) => `${letter}${i}`);
const model = (): TwoTowerModel =>
  new TwoTowerModel({
    queryTower: Tower.create({ vocabulary: words('u', 7), dimensions: 4, seed: 1 }),
    candidateTower: Tower.create({ vocabulary: words('m', 11), dimensions: 4, seed: 2 }),
  });
const weightsOf = ({ queryTower, candidateTower }: TwoTowerModel): number[][] =>
  [...queryTower.parameters(), ...candidateTower.parameters()].map(({ data }) => [...data]);

const columns = { query: 'user', candidate: 'movie', weight: 'weight' };
const options = { batchSize: 16, shuffleBuffer: 32, epochs: 2 };

test('a file trains as its rows in memory, and a run that was killed goes on with the same bits', async () => {
  const inMemory = model();
  const dataset = {
    queries: rows.map(([user]) => user),
    candidates: rows.map(([, movie]) => movie),
    sampleWeight: rows.map(([, , weight]) => Number(weight)),
  };
  await inMemory.fit(dataset, { ...options, shuffle: false });
  const streamed = model();
  await streamed.fit(await tableSource(path, columns), { ...options, shuffle: false });
  assert.deepEqual(weightsOf(streamed), weightsOf(inMemory));
  const whole = model();
  const offered: Checkpoint[] = [];
  await whole.fit(await tableSource(path, columns), {
    ...options,
    onStepEnd: (_, offer) => {
      offered.push(offer.takeCheckpoint());
    },
  });
  for (const resume of [offered[4]!, offered[9]!]) {
    const resumed = model();
    await resumed.fit(await tableSource(path, columns), { ...options, resume });
    assert.deepEqual(weightsOf(resumed), weightsOf(whole));
  }
  appendFileSync(path, 'u1,m1,1\n');
  const changed = model().fit(await tableSource(path, columns), { ...options, resume: offered[4]! });
  await assert.rejects(changed, /resume: expected a checkpoint of the source "sha256:/);
});

test('named words, and rows that do not fit', async () => {
  const source = await tableSource<{ user: string }, { movie: string; weight: string }>(path, {
    query: ['user'],
    candidate: ['movie', 'weight'],
  });
  for await (const piece of source.read(89)) {
    assert.deepEqual(piece.queries, [{ user: 'u5' }, { user: 'u1' }]);
    assert.deepEqual(piece.candidates[0], { movie: 'm5', weight: '3' });
  }
  await assert.rejects(tableSource(path, { ...columns, query: 'usr' }), /expected a column "usr", got "user", "movie"/);
  const bad = join(folder, 'bad.csv');
  writeFileSync(bad, 'user,movie,weight\nu1,m1,1\nu2,,1\n');
  await assert.rejects(
    model().fit(await tableSource(bad, columns)),
    /bad\.csv, line 3: expected a value of "movie", got none/,
  );
  writeFileSync(bad, 'user,movie,weight\nu1,m1,-1\n');
  await assert.rejects(
    model().fit(await tableSource(bad, columns)),
    /line 2: expected a weight of at least 0 .* got -1/,
  );
});
