/** The speed rows of the compression table: a training step, a lookup, a clustering, and its growth with the ids. */
import { BruteForce, bundleFromBytes, bundleToBytes, type EmbeddingOptions, Matrix, Runtime, Tower } from 'shortlist';
import { Cqr, cluster, type EmbeddingTable, makeTable } from 'shortlist/embeddings';
import { Generator } from 'shortlist/random';
import { type Clicks, MatrixFactorization } from 'shortlist/training';
import { interleave } from '../harness/interleave.ts';
import { type Row, row } from '../harness/rows.ts';

const DIMENSIONS = 32;
const COLUMNS = 4;
const ROUNDS = 9;

/** A training step on clicks at the same budget: CQR after a clustering, compared with the hashing trick. */
export async function trainingStep(): Promise<Row> {
  const [ids, batchSize, steps] = [100_000, 8192, 5];
  const runtime = new Runtime();
  const parameters = (ids * DIMENSIONS) / 16;
  const model = (options: EmbeddingOptions): MatrixFactorization => {
    const [queryTable, candidateTable] = [1, 2].map((seed) =>
      makeTable(options, { vocabularySize: ids, dimensions: DIMENSIONS, seed, runtime }),
    ) as [EmbeddingTable, EmbeddingTable];
    return new MatrixFactorization({ queryTable, candidateTable });
  };
  const cqr = model({ method: 'cqr', parameters, columns: COLUMNS });
  const hashing = model({ method: 'hashing-trick', parameters });
  for (const table of [cqr.queryTable, cqr.candidateTable]) await cluster(table as Cqr, { iterations: 2 });
  const generator = new Generator(1);
  const draw = (): Int32Array => Int32Array.from({ length: batchSize }, () => generator.below(ids));
  const clicks: Clicks = {
    queries: draw(),
    candidates: draw(),
    labels: Uint8Array.from({ length: batchSize }, () => generator.below(2)),
  };
  const side = (trained: MatrixFactorization) => (): number =>
    timed(() => {
      for (let step = 0; step < steps; step++) trained.step(clicks);
    }) / steps;
  const { ours, peer } = await interleave(side(cqr), side(hashing), ROUNDS, 3);
  return row({
    work: 'training step of CQR, batch 8,192, d = 32, against the hashing trick',
    ours: ours.median,
    peer: peer!.median,
    unit: 'ms',
    required: { ratio: 1.5 },
  });
}

/** A lookup of 1,000 ids in a loaded CQR table, compared with a full table. */
export async function lookup(): Promise<Row> {
  const [words, looked, rounds] = [200_000, 1000, 200];
  const vocabulary = Array.from({ length: words }, (_, i) => `word ${i}`);
  const embedding = { method: 'cqr', parameters: (words * DIMENSIONS) / 16, columns: COLUMNS } as const;
  const tower = Tower.create({ vocabulary, dimensions: DIMENSIONS, embedding });
  await cluster(tower.inputs[0]!.table as Cqr, { iterations: 2 });
  const index = new BruteForce<string, string>({ queryModel: tower }).index(tower.embed(['word 1']), ['word 1']);
  const loaded = await bundleFromBytes<string, string>(bundleToBytes({ index }));
  const table = loaded.queryTower!.inputs[0]!.table;
  const full = Tower.create({ vocabulary, dimensions: DIMENSIONS }).inputs[0]!.table;
  const generator = new Generator(2);
  const ids = Int32Array.from({ length: looked }, () => generator.below(words));
  const out = new Matrix(looked, DIMENSIONS);
  const before = new Matrix(looked, DIMENSIONS);
  tower.inputs[0]!.table.rows(ids, before);
  table.rows(ids, out);
  const same = before.data.every((value, i) => value === out.data[i]);
  const side = (from: EmbeddingTable) => (): number =>
    (1000 *
      timed(() => {
        for (let i = 0; i < rounds; i++) from.rows(ids, out);
      })) /
    rounds;
  const { ours, peer } = await interleave(side(table), side(full), ROUNDS, 3);
  return row({
    work: 'lookup of 1,000 ids from a loaded CQR table, against a full table',
    ours: ours.median,
    peer: peer!.median,
    unit: 'µs',
    required: { ratio: 2 },
    qualityHolds: same,
    quality: same ? 'the same bits as before saving' : 'other bits than before saving',
  });
}

/** One clustering of a million ids. */
export async function clustering(): Promise<Row> {
  const [ids, clusters] = [1_000_000, 1024];
  const table = Cqr.create(
    { parameters: 2 * clusters * DIMENSIONS, columns: COLUMNS },
    { vocabularySize: ids, dimensions: DIMENSIONS, seed: 1, runtime: new Runtime() },
  );
  let calls = 0;
  const start = performance.now();
  const { h1, emptyClusters } = await cluster(table, { onProgress: () => calls++ });
  return row({
    work: 'cluster() of 1,000,000 ids, d = 32, c = 4, k = 1,024',
    ours: (performance.now() - start) / 1000,
    peer: null,
    unit: 's',
    required: { atMost: 12 },
    // Progress must be reported about once for each iteration and column.
    qualityHolds: calls >= 50,
    quality: { h1: h1.toFixed(2), emptyClusters, progressCalls: calls },
  });
}

/**
 * The growth of one clustering of a table at 1/64 of the parameters, whose centroids grow with the ids: the exponent e of
 * the line that fits log(CPU time) = e · log(ids) + constant best.
 */
export async function clusteringGrowth(): Promise<Row> {
  const sizes = [100_000, 300_000, 1_000_000];
  const quality: Record<string, string> = {};
  const seconds: number[] = [];
  for (const ids of sizes) {
    const table = Cqr.create(
      { parameters: (ids * DIMENSIONS) / 64, columns: COLUMNS },
      { vocabularySize: ids, dimensions: DIMENSIONS, seed: 1, runtime: new Runtime() },
    );
    const start = process.cpuUsage();
    await cluster(table);
    const { user, system } = process.cpuUsage(start);
    seconds.push((user + system) / 1e6);
    quality[`${ids} ids, k = ${table.rowsPerTable}: CPU s`] = seconds.at(-1)!.toFixed(2);
  }
  return row({
    work: 'growth of cluster() with the ids at 1/64: exponent of the CPU time from 100,000 to 1,000,000 ids',
    ours: slope(sizes.map(Math.log), seconds.map(Math.log)),
    peer: null,
    unit: '',
    required: { atMost: 1.15 },
    quality,
  });
}

/** The slope of the least-squares line through points. */
function slope(x: readonly number[], y: readonly number[]): number {
  const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [meanX, meanY] = [mean(x), mean(y)];
  const products = x.map((value, i) => (value - meanX) * (y[i]! - meanY));
  return mean(products) / mean(x.map((value) => (value - meanX) ** 2));
}

function timed(work: () => void): number {
  const start = performance.now();
  work();
  return performance.now() - start;
}
