/** An exact index in segments against the same index in one memory: equal results, and queries alone and in batches in turns. */
import { BruteForce, Runtime, segmentsOf } from 'shortlist';
import { interleave } from '../harness/interleave.ts';
import { type Row, row } from '../harness/rows.ts';
import { FOLDER } from './run.ts';
import { blocksOf, queriesOf, type VectorsOf } from './vectors.ts';

const ROWS = 1_680_000;
const SEGMENTS = 8;
const K = 10;
const ROUNDS = 5;
/** Queries of a round, one after another, and in one batch. */
const [SINGLE, BATCH] = [20, 64];

type Index = BruteForce<Float32Array, number>;

/** Measure with `rows` vectors, 1.68 million by default. */
export async function exactSegmentsRows(rows: string | undefined): Promise<Row[]> {
  const vectors: VectorsOf = { kind: 'mixture', rows: Number(rows ?? ROWS), dimensions: 32 };
  const one = await indexOf(vectors, {});
  const many = await indexOf(vectors, { segments: segmentsOf(Math.ceil((vectors.rows * 32 * 4) / SEGMENTS)) });
  const data = queriesOf(vectors, BATCH);
  const queries = Array.from({ length: BATCH }, (_, i) => data.subarray(32 * i, 32 * (i + 1)));
  const batch = { data, dimensions: 32 };
  const same = queries.filter(
    (query) => JSON.stringify(one.call(query, K).hits()) === JSON.stringify(many.call(query, K).hits()),
  ).length;
  const timeOf = (call: () => void, count: number): number => {
    const begin = performance.now();
    call();
    return (performance.now() - begin) / count;
  };
  const single = (index: Index) => (): number =>
    timeOf(() => {
      for (const query of queries.slice(0, SINGLE)) index.call(query, K);
    }, SINGLE);
  const together = (index: Index) => (): number => timeOf(() => index.call(batch, K), BATCH);
  const measured: Row[] = [];
  for (const [name, side] of [
    ['one query', single],
    [`a query in a batch of ${BATCH}`, together],
  ] as const) {
    const { ours, peer } = await interleave(side(many), side(one), ROUNDS);
    measured.push(
      row({
        work: `${vectors.rows} × 32, exact: ${name} in ${SEGMENTS} segments against one memory`,
        ...{ ours: ours.median, peer: peer!.median, unit: 'ms', qualityHolds: same === BATCH },
        required: { none: true },
        quality: { 'equal results': `${same} of ${BATCH}`, spread: ours.spread.toFixed(2) },
      }),
    );
  }
  for (const index of [one, many]) index.free();
  return measured;
}

/** An index with a memory of its own, on all threads. */
async function indexOf(of: VectorsOf, options: ConstructorParameters<typeof BruteForce>[0]): Promise<Index> {
  const index: Index = new BruteForce({ ...options, runtime: new Runtime() } as object);
  return index.indexFromDataset(() => blocksOf(of, FOLDER));
}
