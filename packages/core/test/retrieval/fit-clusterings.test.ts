/**
 * Clusterings inside `fit`: they run at the scheduled steps, and a run interrupted near them resumes with the same
 * bits.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkpointFromBytes, checkpointToBytes } from '../../src/bundle/checkpoint.ts';
import type { Cqr } from '../../src/embeddings/cqr.ts';
import { Runtime } from '../../src/parallel/runtime.ts';
import { Generator } from '../../src/random/generator.ts';
import { FitAbortedError } from '../../src/retrieval/checkpoint.ts';
import type { ClusterRecord } from '../../src/retrieval/cluster-schedule.ts';
import type { RetrievalDataset } from '../../src/retrieval/dataset.ts';
import { TwoTowerModel } from '../../src/retrieval/model.ts';
import { Tower } from '../../src/towers/tower.ts';

const words = Array.from({ length: 60 }, (_, i) => `word ${i}`);

/** Words choose words of their own third. */
function tastes(rows: number): RetrievalDataset<string, string> {
  const generator = new Generator(1);
  const drawn = Array.from({ length: rows }, () => generator.below(60));
  return {
    queries: drawn.map((word) => words[word]!),
    candidates: drawn.map((word) => words[3 * generator.below(20) + (word % 3)]!),
  };
}

function model(runtime = new Runtime({ threads: 1 })): TwoTowerModel {
  const embedding = { method: 'cqr', parameters: 160, columns: 2 } as const;
  const [queryTower, candidateTower] = [1, 2].map((seed) =>
    Tower.create({ vocabulary: words, dimensions: 8, seed, embedding, runtime }),
  );
  return new TwoTowerModel({ queryTower: queryTower!, candidateTower: candidateTower! });
}

const vectorsOf = ({ queryTower, candidateTower }: TwoTowerModel): number[][] =>
  [queryTower, candidateTower].map((tower) => [...tower.embed(words).data]);

const options = { epochs: 4, batchSize: 50, clusterings: { every: 0.5, times: 4, iterations: 5 } };

test('tables are clustered when it is due, and one step later the model still learns', async () => {
  const seen: ClusterRecord[] = [];
  const trained = model();
  const onCluster = (record: ClusterRecord): number => seen.push(record);
  const { epochs } = await trained.fit(tastes(200), { ...options, onCluster });
  assert.deepEqual(
    seen.map(({ epoch, step, table }) => `${epoch}.${step} ${table}`),
    ['1.2', '1.4', '2.2', '2.4'].flatMap((at) => [`${at} queryTower`, `${at} candidateTower`]),
  );
  assert.ok(seen.every(({ health }) => health.h1 > 0 && health.meanSquaredChange >= 0));
  assert.ok(epochs.at(-1)!.perExample < epochs[0]!.perExample);
});

test('a run interrupted before, within or after a clustering and resumed ends with the same bits', async () => {
  const whole = model();
  await whole.fit(tastes(200), options);
  let within = 0;
  // The clock is asked at every turn of the run, so that counting its calls reaches every place in it.
  for (let stopAt = 3; stopAt < 54; stopAt += 5) {
    const abort = new AbortController();
    let calls = 0;
    const clock = (): number => {
      if (++calls === stopAt) abort.abort();
      return 0;
    };
    const broken = model();
    const error = await broken.fit(tastes(200), { ...options, clock, signal: abort.signal }).catch((e: unknown) => e);
    assert.ok(error instanceof FitAbortedError, `${stopAt}: ${error}`);
    const { step, epoch, pointers } = error.checkpoint;
    if ((4 * epoch + step) % 2 === 0) within++;
    assert.equal(pointers.length, 2);
    const resumed = model();
    await resumed.fit(tastes(200), {
      ...options,
      resume: await checkpointFromBytes(checkpointToBytes(error.checkpoint)),
    });
    assert.deepEqual(vectorsOf(resumed), vectorsOf(whole), `stopped at call ${stopAt}`);
  }
  assert.ok(within >= 3, `${within} interruptions at a clustering`);
});

test('the one-step form drops its helper at the last clustering', async () => {
  const trained = model();
  await trained.fit(tastes(200), { ...options, clusterings: { times: 1, helper: false } });
  const table = trained.queryTower.inputs[0]!.table as Cqr;
  assert.equal(table.sums, 1);
});
