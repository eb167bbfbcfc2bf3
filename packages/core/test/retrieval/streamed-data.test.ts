/** Training from a source: as much read as needed, bits that do not depend on pieces, and runs that are resumed at any step. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkpointFromBytes, checkpointToBytes } from '../../src/bundle/checkpoint.ts';
import type { FeatureColumn } from '../../src/features/contract.ts';
import { Runtime } from '../../src/parallel/runtime.ts';
import type { Checkpoint } from '../../src/retrieval/checkpoint.ts';
import { encodeDataset, type RetrievalDataset } from '../../src/retrieval/dataset.ts';
import type { FitOptions } from '../../src/retrieval/fit-options.ts';
import type { RetrievalSource } from '../../src/retrieval/source.ts';
import { StreamedData } from '../../src/retrieval/streamed-data.ts';
import { Retrieval, type RetrievalOptions } from '../../src/retrieval/task.ts';
import { movies, parityModel, tastes, weightsOf } from './parity-tastes.ts';

type IdColumn = Extract<FeatureColumn, { kind: 'ids' }>;

const ROWS = 150;
const all = tastes(ROWS);

/** A source of pieces of `pieceRows` rows that counts what is read. */
class CountedSource implements RetrievalSource<string, string> {
  fingerprint = 'tastes';
  rows: number | undefined = ROWS;
  readonly skips: number[] = [];
  given = 0;
  closed = 0;
  readonly #pieceRows: number;
  readonly #dataset: RetrievalDataset<string, string>;

  constructor(pieceRows = 7, dataset = all) {
    this.#pieceRows = pieceRows;
    this.#dataset = dataset;
  }

  async *read(skip: number): AsyncGenerator<RetrievalDataset<string, string>> {
    this.skips.push(skip);
    const { queries, candidates, sampleWeight, candidateIds, candidateSamplingProbability } = this.#dataset;
    try {
      for (let at = skip; at < queries.length; at += this.#pieceRows) {
        const to = at + this.#pieceRows;
        const weights = sampleWeight && { sampleWeight: Array.from(sampleWeight).slice(at, to) };
        const ids = candidateIds && { candidateIds: candidateIds.slice(at, to) };
        const given = candidateSamplingProbability && {
          candidateSamplingProbability: Array.from(candidateSamplingProbability).slice(at, to),
        };
        await new Promise((resolve) => setImmediate(resolve));
        this.given += Math.min(to, queries.length) - at;
        yield { queries: queries.slice(at, to), candidates: candidates.slice(at, to), ...weights, ...ids, ...given };
      }
    } finally {
      this.closed++;
    }
  }
}

const options: FitOptions<string, string> = { batchSize: 16, shuffleBuffer: 40, epochs: 2 };

test('without shuffling a source trains as the same rows in memory, with counted log-Q and validation', async () => {
  const validation = { dataset: tastes(30, 2) };
  const how = { ...options, shuffle: false, validation };
  const [inMemory, streamed] = [parityModel(), parityModel()];
  const expected = await inMemory.fit(all, how);
  const source = new CountedSource();
  source.rows = undefined;
  const history = await streamed.fit(source, how);
  assert.deepEqual(weightsOf(streamed), weightsOf(inMemory));
  const losses = ({ epochs }: typeof history): unknown[] => epochs.map(({ validation: of }) => of!.perExample);
  assert.deepEqual(losses(history), losses(expected));
  assert.deepEqual(source.skips, [0, 0, 0], 'one pass to count, and one for each epoch');
  assert.equal(source.closed, 3);
});

test('the size of pieces changes nothing; blocks are shuffled anew in each epoch, each row once', async () => {
  const runs = await Promise.all(
    [1, 7, 1000].map(async (pieceRows) => {
      const model = parityModel();
      await model.fit(new CountedSource(pieceRows), options);
      return weightsOf(model);
    }),
  );
  const plain = parityModel();
  assert.deepEqual(runs[1], runs[0]);
  assert.deepEqual(runs[2], runs[0]);
  const run = { ...options, epochs: 2, batchSize: 16, seed: 42, clock: () => 0 };
  const data = await StreamedData.open(plain, new CountedSource(), run);
  const orders: string[][] = [];
  for (const epoch of [0, 1]) {
    const rows: string[] = [];
    for await (const { rows: count, queries, candidates } of data.batches(epoch, 0)) {
      const [user, movie] = [queries, candidates].map(({ columns }) => (columns[0] as IdColumn).ids);
      for (let i = 0; i < count; i++) rows.push(`${user![i]} ${movie![i]}`);
    }
    orders.push(rows);
  }
  assert.notDeepEqual(orders[0], orders[1]);
  const encoded = encodeDataset(all, plain.queryTower, plain.candidateTower);
  const [user, movie] = [encoded.queries, encoded.candidates].map(({ columns }) => (columns[0] as IdColumn).ids);
  const expected = Array.from(user!, (id, i) => `${id} ${movie![i]}`).sort();
  for (const order of orders) assert.deepEqual([...order].sort(), expected);
  await plain.fit(new CountedSource(), { ...options, shuffle: false });
  assert.notDeepEqual(weightsOf(plain), runs[0]);
});

test('no more than two blocks are read ahead of the training', async () => {
  const source = new CountedSource(5);
  let trained = 0;
  let ahead = 0;
  await parityModel().fit(source, {
    ...options,
    epochs: 1,
    samplingCorrection: false,
    onStepEnd: ({ rows }) => {
      trained += rows;
      ahead = Math.max(ahead, source.given - trained);
    },
  });
  assert.deepEqual(source.skips, [0], 'rows that are known are not counted');
  // A block is 48 rows: the buffer of 40, rounded up to whole batches. A piece may reach into the next one.
  assert.ok(ahead > 0 && ahead <= 2 * 48 + 5, `${ahead} rows`);
});

for (const samplingCorrection of [true, false, 'streaming'] as const) {
  test(`a run resumed after any step ends with the same bits, samplingCorrection ${samplingCorrection}`, async () => {
    const how = { ...options, samplingCorrection };
    const whole = parityModel();
    const offered: Checkpoint[] = [];
    await whole.fit(new CountedSource(), {
      ...how,
      onStepEnd: (_, offer) => {
        offered.push(offer.takeCheckpoint());
      },
    });
    assert.equal(offered.length, 20);
    for (const [i, checkpoint] of offered.entries()) {
      const source = new CountedSource(11);
      const resumed = parityModel();
      await resumed.fit(source, { ...how, resume: await checkpointFromBytes(checkpointToBytes(checkpoint)) });
      assert.deepEqual(weightsOf(resumed), weightsOf(whole), `after step ${i + 1}`);
      if (samplingCorrection !== false || i === 9 || i === 19) continue;
      assert.equal(
        source.skips[0],
        Math.floor((((i + 1) % 10) * 16) / 48) * 48,
        'the rows of earlier blocks are skipped',
      );
    }
  });
}

const NEGATIVES: readonly { name: string; dataset: typeof all; task?: RetrievalOptions; how: typeof options }[] = [
  { name: 'mixed', dataset: all, how: { negatives: { uniform: 9 } } },
  {
    name: 'of a catalogue',
    dataset: all,
    how: { negatives: { uniform: 9, catalogue: [...movies, 'movie 3', 'new'] } },
  },
  {
    name: 'memory',
    dataset: all,
    task: { removeAccidentalHits: true },
    how: { negatives: { memory: 30, uniform: 3 } },
  },
  { name: 'not corrected', dataset: all, how: { samplingCorrection: false, negatives: { uniform: 5, memory: 20 } } },
  { name: 'streaming', dataset: all, how: { samplingCorrection: 'streaming', negatives: { uniform: 9, memory: 20 } } },
  { name: 'BPR', dataset: all, task: { loss: 'bpr', inBatchNegatives: false }, how: { negatives: { uniform: 6 } } },
  {
    name: 'with identifiers',
    dataset: { ...all, candidateIds: all.candidates.map((movie) => `the ${movie}`) },
    how: { negatives: { uniform: 9, memory: 20 } },
  },
  {
    name: 'with probabilities of their own',
    dataset: { ...all, candidateSamplingProbability: all.candidates.map((movie) => movie.length / 100) },
    how: { negatives: { uniform: 9 }, validation: { dataset: tastes(30, 2) } },
  },
];

for (const { name, dataset, task, how } of NEGATIVES) {
  const model = (threads = 1) => parityModel(new Runtime({ threads }), task && { task: new Retrieval(task) });
  test(`negatives of a source, ${name}: the bits of the same rows in memory, of any threads, and of resumed runs`, async () => {
    const inMemory = model();
    await inMemory.fit(dataset, { ...options, ...how, shuffle: false });
    const streamed = model();
    await streamed.fit(new CountedSource(7, dataset), { ...options, ...how, shuffle: false });
    assert.deepEqual(weightsOf(streamed), weightsOf(inMemory));
    const whole = model();
    const offered: Checkpoint[] = [];
    const onStepEnd: FitOptions<string, string>['onStepEnd'] = (_, offer) => {
      offered.push(offer.takeCheckpoint());
    };
    await whole.fit(new CountedSource(7, dataset), { ...options, ...how, onStepEnd });
    assert.notDeepEqual(weightsOf(whole), weightsOf(streamed));
    const threads = model(3);
    await threads.fit(new CountedSource(13, dataset), { ...options, ...how });
    assert.deepEqual(weightsOf(threads), weightsOf(whole));
    for (const [i, checkpoint] of offered.entries()) {
      const resumed = model();
      const resume = await checkpointFromBytes(checkpointToBytes(checkpoint));
      await resumed.fit(new CountedSource(11, dataset), { ...options, ...how, resume });
      assert.deepEqual(weightsOf(resumed), weightsOf(whole), `after step ${i + 1}`);
    }
  });
}

test('sources that change, fail or do not fit are named; an interrupted one is closed', async () => {
  const refused = (source: CountedSource, message: RegExp, more: FitOptions<string, string> = {}): Promise<void> =>
    assert.rejects(parityModel().fit(source, { ...options, samplingCorrection: false, ...more }), message);
  const longer = new CountedSource();
  longer.rows = 140;
  await refused(longer, /source: expected 140 rows in every pass, got at least 144/);
  const shorter = new CountedSource();
  shorter.rows = 200;
  await refused(shorter, /source: expected 200 rows in every pass, got 150/);
  const named = new CountedSource(7, { ...all, candidateIds: all.candidates });
  const catalogue = { uniform: 2, catalogue: movies };
  await refused(named, /negatives.catalogue: expected a data set without candidateIds/, { negatives: catalogue });
  const nameless = new CountedSource();
  nameless.fingerprint = '';
  await refused(nameless, /source\.fingerprint: expected a name/);
  const failing = new CountedSource();
  failing.read = async function* () {
    yield all;
    throw new Error('the disk is gone');
  };
  await refused(failing, /the disk is gone/);
  let resume: Checkpoint | undefined;
  await parityModel().fit(new CountedSource(), {
    ...options,
    onEpochEnd: (_, offer) => {
      resume ??= offer.takeCheckpoint();
    },
  });
  const other = new CountedSource();
  other.fingerprint = 'others';
  await refused(other, /resume: expected a checkpoint of the source "others", got one of the source "tastes"/, {
    resume: resume!,
  });
  await assert.rejects(
    parityModel().fit(all, { ...options, resume: resume! }),
    /resume: expected a checkpoint of a data set/,
  );
  const controller = new AbortController();
  const interrupted = new CountedSource();
  await refused(interrupted, /interrupted after 0 epochs and 2 steps/, {
    signal: controller.signal,
    onStepEnd: ({ step }) => {
      if (step === 2) controller.abort();
    },
  });
  assert.equal(interrupted.closed, 1);
});
