/** Rows without a peer: a filter, bytes, loading, upserts. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Runtime, ScaNN } from 'shortlist';
import { loadBundle, saveBundle } from 'shortlist/node';
import { type Row, row } from '../harness/rows.ts';
import { type Own, queryOf, type Reached } from './points.ts';
import { recall, type VectorSet } from './sets.ts';

/** A random filter that keeps one row in a hundred, compared with no filter and with an exact scan of the kept rows. */
export function filterRow(set: VectorSet, index: Own, point: Reached): Row {
  const n = set.base.length / set.dimensions;
  const kept = (at: number): boolean => (Math.imul(at + 1, 0x9e3779b1) >>> 0) % 100 === 0;
  const filter = index.compileFilter((_, at) => kept(at));
  const d = set.dimensions;
  const truth = keptTruth(set, Array.from({ length: n }, (_, at) => at).filter(kept), 200);
  const options = (leavesToSearch: number): object => ({ k: 10, leavesToSearch, reorder: 100, filter });
  let leaves = point.leavesToSearch;
  const found = (): number => recall(truth, (i) => index.call(queryOf(set, i), options(leaves)).rowsOf());
  let share = found();
  for (; share < 0.98 && leaves < index.stats().leaves; share = found()) leaves = Math.ceil(1.5 * leaves);
  const time = (call: (i: number) => void): number => {
    const times = Float64Array.from({ length: 600 }, (_, i) => {
      const start = performance.now();
      call(i);
      return performance.now() - start;
    }).sort();
    return times[300]!;
  };
  const filtered = time((i) => index.call(queryOf(set, i), options(leaves)));
  const plain = time((i) =>
    index.call(queryOf(set, i), { k: 10, leavesToSearch: point.leavesToSearch, reorder: point.reorder }),
  );
  const exact = time((i) => index.call(queryOf(set, i), { k: 10, filter, exact: true }));
  filter.free();
  const quality = {
    recallAmongKept: share.toFixed(4),
    leaves,
    unfilteredMs: plain.toFixed(4),
    filteredMs: filtered.toFixed(4),
    exactScanOfKeptMs: exact.toFixed(4),
  };
  return row({
    work: `${set.name}: a filter that keeps 1 %, against no filter (${d} dimensions)`,
    ours: filtered / plain,
    peer: null,
    unit: '× unfiltered',
    required: { atMost: 8 },
    // With few kept rows the index uses the exact scan itself, so that differences up to a tenth are noise.
    qualityHolds: share >= 0.98 && filtered <= 1.1 * exact,
    quality,
  });
}

/** Bytes of the index without the rows for reordering. */
export function bytesRow(set: VectorSet, index: Own): Row {
  const n = set.base.length / set.dimensions;
  const { partBytes } = index.stats();
  const own = Object.entries(partBytes).reduce((sum, [name, size]) => sum + (name === 'rows' ? 0 : Number(size)), 0);
  return row({
    work: `${set.name}: index bytes beside the vectors`,
    ours: own / n,
    peer: null,
    unit: 'bytes a candidate',
    required: { atMost: set.dimensions / 4 + 8 },
  });
}

/** Seconds to load the saved index while its file is in the page cache. */
export async function loadRow(set: VectorSet, index: Own): Promise<Row> {
  const folder = mkdtempSync(join(tmpdir(), 'shortlist-bench-load-'));
  try {
    const path = join(folder, 'index.shortlist');
    await saveBundle(path, { index });
    const seconds: number[] = [];
    let isSame = true;
    for (let round = 0; round < 3; round++) {
      const start = performance.now();
      const loaded = await loadBundle<Float32Array, number>(path);
      seconds.push((performance.now() - start) / 1000);
      const [own, other] = [index, loaded.index].map((each) => each.call(queryOf(set, round), 10).rowsOf());
      isSame &&= own!.every((found, i) => found === other![i]);
      (loaded.index as Own).free();
    }
    return row({
      work: `${set.name}: load from page cache`,
      ours: Math.min(...seconds),
      peer: null,
      unit: 's',
      required: { atMost: 0.3 },
      qualityHolds: isSame,
      quality: isSame ? 'same results as before saving' : 'other results than before saving',
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** New candidates a second, with a hundred in each call, on one thread, in an index of 200,000. */
export function upsertRow(set: VectorSet): Row {
  const { base, dimensions: d } = set;
  const [indexed, added, batch] = [200_000, 20_000, 100];
  const runtime = new Runtime({ threads: 1 });
  const distanceMeasure = set.metric === 'cosine' ? 'cosine' : 'dot_product';
  const index = new ScaNN<Float32Array, number>({ distanceMeasure, numLeaves: 500, seed: 1, runtime });
  index.index({ data: base.subarray(0, indexed * d), dimensions: d });
  const start = performance.now();
  for (let first = indexed; first < indexed + added; first += batch) {
    const identifiers = Array.from({ length: batch }, (_, i) => first + i);
    index.upsert(identifiers, { data: base.subarray(first * d, (first + batch) * d), dimensions: d });
  }
  const seconds = (performance.now() - start) / 1000;
  const work = `${set.name}: upserts, one thread`;
  const quality = { size: index.size };
  return row({ work, ours: added / seconds, peer: null, unit: 'a second', required: { atLeast: 20_000 }, quality });
}

function keptTruth(set: VectorSet, kept: readonly number[], queries: number): Int32Array {
  const { base, dimensions: d } = set;
  const out = new Int32Array(queries * 10);
  for (let i = 0; i < queries; i++) {
    const query = queryOf(set, i);
    const scored = kept.map((at) => {
      let score = 0;
      for (let t = 0; t < d; t++) score += query[t]! * base[at * d + t]!;
      return { at, score };
    });
    scored.sort((a, b) => b.score - a.score || a.at - b.at);
    out.set(
      scored.slice(0, 10).map(({ at }) => at),
      10 * i,
    );
  }
  return out;
}
