/**
 * Trains a table of ten million ids with 64 dimensions, at a thousandth of the parameters and with one clustering. It runs as a
 * separate process, which prints its peak memory, the seconds of the clustering and the quality as one JSON object.
 *
 * A hash of its number assigns each id to one of a few groups, and the groups decide the clicks.
 */
import { defaultRuntime } from 'shortlist';
import { Cqr, cluster, FullTable } from 'shortlist/embeddings';
import { Generator } from 'shortlist/random';
import { type Clicks, MatrixFactorization } from 'shortlist/training';

const IDS = 10_000_000;
const DIMENSIONS = 64;
const CANDIDATES = 1000;
const GROUPS = 4;
const BATCH = 8192;
const STEPS = 200;

const generator = new Generator(1);
const queryTable = Cqr.create(
  { parameters: (IDS * DIMENSIONS) / 1000, columns: 4 },
  { vocabularySize: IDS, dimensions: DIMENSIONS, seed: 1, runtime: defaultRuntime() },
);
const candidateTable = FullTable.create({ vocabularySize: CANDIDATES, dimensions: DIMENSIONS, seed: 2 });
const model = new MatrixFactorization({ queryTable, candidateTable });

function draw(): Clicks {
  const queries = Int32Array.from({ length: BATCH }, () => generator.below(IDS));
  const candidates = Int32Array.from({ length: BATCH }, () => generator.below(CANDIDATES));
  const labels = Uint8Array.from(queries, (id, i) => ((id ^ candidates[i]!) % GROUPS < GROUPS / 2 ? 1 : 0));
  return { queries, candidates, labels };
}

function train(): number {
  let loss = 0;
  for (let step = 0; step < STEPS; step++) loss = model.step(draw()) / BATCH;
  return loss;
}

const before = train();
const start = performance.now();
const health = await cluster(queryTable, { optimizer: model.optimizer });
const clusterSeconds = (performance.now() - start) / 1000;
const after = train();
const peakBytes = process.resourceUsage().maxRSS * 1024;
const tableBytes = queryTable.sizeBytes();
const { parameters } = queryTable;
console.log(JSON.stringify({ peakBytes, clusterSeconds, before, after, h1: health.h1, parameters, tableBytes }));
