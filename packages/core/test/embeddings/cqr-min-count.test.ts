/** Learned pointers for frequent ids only: who gets them, what they save, and what a checkpoint keeps of the counts. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkpointFromBytes, checkpointToBytes } from '../../src/bundle/checkpoint.ts';
import { TABLES } from '../../src/bundle/registry.ts';
import { cluster } from '../../src/embeddings/cluster.ts';
import { Cqr } from '../../src/embeddings/cqr.ts';
import { FormatError, ShapeError } from '../../src/errors/errors.ts';
import { loadPart, readSaved } from '../../src/format/part.ts';
import { containerSections, type Saved } from '../../src/format/saved.ts';
import { bytesSource } from '../../src/format/source.ts';
import { toBytes } from '../../src/format/writer.ts';
import { Sgd } from '../../src/optimizers/sgd.ts';
import { Runtime } from '../../src/parallel/runtime.ts';
import { Generator } from '../../src/random/generator.ts';
import type { Checkpoint, FitAbortedError } from '../../src/retrieval/checkpoint.ts';
import type { FitOptions } from '../../src/retrieval/fit-options.ts';
import { TwoTowerModel } from '../../src/retrieval/model.ts';
import { Tower } from '../../src/towers/tower.ts';
import { Matrix } from '../../src/vectors/matrix.ts';
import { collectedBytes } from '../memory/collected-bytes.ts';

const [V, D, K] = [1000, 8, 16];
const runtime = new Runtime({ threads: 1 });

function make(minCount: number): Cqr {
  const options = { parameters: 2 * K * D, columns: 4, minCount };
  return Cqr.create(options, { vocabularySize: V, dimensions: D, seed: 1, runtime });
}

/** Id i is in ⌊V / (i + 1)⌋ batches, as popularity goes, 8 at most. */
function train(table: Cqr): void {
  for (let batch = 1; batch <= 8; batch++) {
    const ids = Int32Array.from({ length: Math.floor(V / batch) }, (_, i) => i);
    const gradients = new Matrix(ids.length, D, runtime);
    gradients.data.forEach((_, i, data) => {
      data[i] = Math.sin(i * batch);
    });
    table.applyGradient(ids, gradients, new Sgd({ learningRate: 0.01 }));
    gradients.free();
  }
}

function vectors(table: Cqr): Float32Array {
  const out = new Matrix(V, D, runtime);
  table.rows(
    Int32Array.from({ length: V }, (_, i) => i),
    out,
  );
  return out.data.slice();
}

const load = (saved: Saved): Promise<Cqr> =>
  readSaved(
    bytesSource(toBytes(containerSections(saved), runtime)),
    (part) => loadPart(part, TABLES),
    runtime,
  ) as Promise<Cqr>;

test('ids in enough batches learn pointers, the others stay hashed, and the bytes of theirs are saved', async () => {
  const [all, some] = [make(1), make(4)];
  for (const table of [all, some]) {
    train(table);
    await cluster(table);
  }
  // Four batches had the first quarter of the ids.
  assert.equal(some.pointers!.length, (V / 4) * 4);
  assert.equal(all.pointers!.length, V * 4);
  const bits = Math.log2(K);
  const words = Math.ceil(V / 32);
  assert.equal(all.sizeBytes() - some.sizeBytes(), (4 * bits * (V - V / 4)) / 8 - 4 * words);
  const loaded = await load(some.save());
  assert.deepEqual(vectors(loaded), vectors(some));
  assert.equal(loaded.sizeBytes(), some.sizeBytes());
  // Every vector is made of centroids, and hashed ids have one each: newcomers are served.
  const rows = vectors(some);
  assert.ok(rows.every(Number.isFinite));
  assert.ok(new Set(Array.from({ length: V }, (_, i) => rows.subarray(i * D, i * D + 2).join())).size <= K);
});

test('learned ids stay learned after loading, and more may join them', async () => {
  const table = make(4);
  train(table);
  await cluster(table);
  const loaded = await load(table.save());
  const newcomers = Int32Array.of(900, 950);
  for (let batch = 0; batch < 4; batch++) loaded.applyGradient(newcomers, new Matrix(2, D, runtime), new Sgd());
  await cluster(loaded);
  assert.equal(loaded.pointers!.length, (V / 4 + 2) * 4);
});

test('without the helper too; a clustering before anything was trained says what it misses', async () => {
  const table = make(2);
  await assert.rejects(cluster(table), /expected ids in at least 2 batches \(minCount\), got none/);
  train(table);
  const before = await collectedBytes(runtime.heap);
  await assert.rejects(cluster(table, { signal: AbortSignal.abort() }), /interrupted/);
  assert.equal(runtime.heap.usedBytes, before, 'what an interrupted clustering took is given back');
  await cluster(table, { helper: false });
  assert.deepEqual(vectors(await load(table.save())), vectors(table));
  assert.equal(new Set(table.pointers!).size > K, true, 'all rows became centroids');
});

test('options and files that cannot be are refused', async () => {
  for (const minCount of [0, 256, 1.5]) {
    assert.throws(() => make(minCount), /minCount: expected an integer from 1 to 255/);
  }
  const table = make(4);
  train(table);
  await cluster(table);
  const saved = table.save();
  const learned = saved.sections.find(({ name }) => name === 'learned')!.bytes as Uint8Array;
  const past = learned.slice();
  past[past.length - 1] = 0x80;
  const sections = saved.sections.map((section) =>
    section.name === 'learned' ? { ...section, bytes: past } : section,
  );
  await assert.rejects(load({ ...saved, sections }), (error) => {
    assert.ok(error instanceof FormatError);
    assert.match(error.message, /expected ids below 1000, got a larger one/);
    return true;
  });
  assert.throws(() => make(1).restorePointers(table.takePointers()), ShapeError);
  assert.throws(() => table.restorePointers(make(1).takePointers()), ShapeError);
});

test('a stopped run keeps its counts: resumed, it clusters the same ids to the same bits', async () => {
  const words = Array.from({ length: 40 }, (_, i) => `w${i}`);
  const generator = new Generator(3);
  const draw = (): string[] =>
    Array.from({ length: 400 }, () => words[Math.min(generator.below(40), generator.below(40))]!);
  const dataset = { queries: draw(), candidates: draw() };
  const tower = (seed: number): Tower =>
    Tower.create({
      vocabulary: words,
      dimensions: D,
      seed,
      embedding: { method: 'cqr', parameters: 160, minCount: 9 },
    });
  const newModel = (): TwoTowerModel => new TwoTowerModel({ queryTower: tower(1), candidateTower: tower(2) });
  const options: FitOptions<string, string> = { epochs: 4, batchSize: 40, clusterings: { every: 1 }, clock: () => 0 };
  const whole = newModel();
  await whole.fit(dataset, options);
  for (const stopAt of [1, 3]) {
    const abort = new AbortController();
    const onProgress = ({ epoch, step }: { epoch: number; step: number }): void => {
      if (epoch === stopAt && step === 5) abort.abort();
    };
    const checkpoint = await newModel()
      .fit(dataset, { ...options, onProgress, signal: abort.signal })
      .then(
        (): Checkpoint => assert.fail('the run was not stopped'),
        (error: FitAbortedError) => error.checkpoint,
      );
    const loaded = await checkpointFromBytes(checkpointToBytes(checkpoint));
    assert.deepEqual(loaded, checkpoint);
    const resumed = newModel();
    await resumed.fit(dataset, { ...options, resume: loaded });
    const [a, b] = [whole, resumed].map((model) => model.queryTower.inputs[0]!.table as Cqr);
    assert.deepEqual(b!.takePointers(), a!.takePointers());
    assert.ok(a!.pointers!.length < 41 * 4 && a!.pointers!.length > 0);
    assert.deepEqual(b!.codebook.data, a!.codebook.data);
  }
});
