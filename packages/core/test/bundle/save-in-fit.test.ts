/** A save that a callback of `fit` begins and does not await holds the towers of the moment, and a new `fit` is refused. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BruteForce, bundleToBytes, Tower, TwoTowerModel, writeBundleAsync } from '../../src/index.ts';

const vocabulary = Array.from({ length: 300 }, (_, i) => `word ${i}`);
const dataset = { queries: vocabulary, candidates: [...vocabulary].reverse() };

function setUp(): { model: TwoTowerModel; index: BruteForce<string> } {
  const tower = (seed: number): Tower => Tower.create({ vocabulary, dimensions: 8, seed });
  const model = new TwoTowerModel({ queryTower: tower(1), candidateTower: tower(2) });
  return { model, index: new BruteForce<string>({ queryModel: model.queryTower }).index([[1, 2, 3, 4, 5, 6, 7, 8]]) };
}

/** A sink that takes its time: every write waits for a turn of the event loop. */
async function saved(index: BruteForce<string>): Promise<Buffer> {
  const written: Buffer[] = [];
  await writeBundleAsync(
    { index },
    {
      write: async (bytes) => {
        for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
        written.push(Buffer.from(bytes));
      },
    },
  );
  return Buffer.concat(written);
}

test('fit waits for a save that its callback began', async () => {
  const { model, index } = setUp();
  const saves: Promise<Buffer>[] = [];
  const expected: Buffer[] = [];
  const onEpochEnd = (): void => {
    expected.push(Buffer.from(bundleToBytes({ index })));
    saves.push(saved(index));
  };
  await model.fit(dataset, { epochs: 3, batchSize: 100, onEpochEnd });
  assert.deepEqual(await Promise.all(saves), expected);
  assert.notDeepEqual(expected[0], expected[1]);
});

test('a fit that begins while a save reads its tables is refused, and begins after it', async () => {
  const { model, index } = setUp();
  const save = saved(index);
  await assert.rejects(
    model.fit(dataset),
    /^StateError: fit: expected tables that are not in use, got one that is being saved$/,
  );
  await save;
  await model.fit(dataset);
});
