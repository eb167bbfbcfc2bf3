/** An index in eight segments against the same index in one memory: equal results, and the p50 of single queries in turns. */
import { Matrix, Runtime, ScaNN, segmentsOf } from 'shortlist';
import { interleave, quantile } from '../harness/interleave.ts';
import { type Row, row } from '../harness/rows.ts';
import { FOLDER } from './run.ts';
import { blocksOf, queriesOf, type VectorsOf } from './vectors.ts';

const ROWS = 1_680_000;
const SEGMENTS = 8;
const QUERIES = 1_000;
const K = 10;
const ROUNDS = 7;
/** The settings of calls: few and many leaves. */
const POINTS = [
  { leavesToSearch: 20, reorder: 60 },
  { leavesToSearch: 40, reorder: 100 },
  { leavesToSearch: 80, reorder: 100 },
];

type Index = ScaNN<Float32Array, number>;

export async function segmentsRows(rows: string | undefined): Promise<Row[]> {
  const vectors: VectorsOf = { kind: 'mixture', rows: Number(rows ?? ROWS), dimensions: 32 };
  const numLeaves = Math.round(2_000 * Math.sqrt(vectors.rows / ROWS));
  console.error('segments: builds one memory');
  const one = indexOf(vectors, { numLeaves });
  // Segments are filled up to a whole leaf, so each is a little smaller than its bound.
  const segmentBytes = Math.ceil((1.03 * one.sizeBytes) / SEGMENTS);
  console.error('segments: builds segments');
  const many = indexOf(vectors, { numLeaves, segments: segmentsOf(segmentBytes) });
  const data = queriesOf(vectors, QUERIES);
  const queries = Array.from({ length: QUERIES }, (_, i) => data.subarray(32 * i, 32 * (i + 1)));
  const measured: Row[] = [];
  for (const point of POINTS) {
    const options = { k: K, ...point };
    const same = queries.filter((query) => {
      const [expected, found] = [one.call(query, options).hits(), many.call(query, options).hits()];
      return JSON.stringify(expected) === JSON.stringify(found);
    }).length;
    const p50 = (index: Index) => (): number =>
      quantile(
        Float64Array.from(queries, (query) => {
          const begin = performance.now();
          index.call(query, options);
          return performance.now() - begin;
        }).sort(),
        0.5,
      );
    const { ours, peer } = await interleave(p50(many), p50(one), ROUNDS);
    const { segments } = many.stats();
    measured.push(
      row({
        work: `${vectors.rows} × 32: p50 in ${segments} segments against one memory, ${point.leavesToSearch} leaves`,
        ...{ ours: ours.median, peer: peer!.median, unit: 'ms', qualityHolds: same === QUERIES },
        required: rows === undefined ? { ratio: 1.1 } : { none: true },
        quality: { 'equal results': `${same} of ${QUERIES}` },
      }),
    );
  }
  return measured;
}

/** The index on one thread. */
function indexOf(of: VectorsOf, options: ConstructorParameters<typeof ScaNN>[0]): Index {
  const runtime = new Runtime({ threads: 1 });
  const rows = new Matrix(of.rows, of.dimensions, runtime);
  let at = 0;
  for (const { data } of blocksOf(of, FOLDER)) {
    rows.data.set(data, at);
    at += data.length;
  }
  const index: Index = new ScaNN({ ...options, seed: 1, runtime } as object);
  return index.index(rows, undefined, { transfer: true });
}
