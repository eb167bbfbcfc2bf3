/**
 * The index's speed table: ours and the peers' in turns, on the same vectors, each at the fastest setting that reaches the
 * recall asked for.
 *
 *   npm run bench:ann [-- --json]
 *
 * A call from Python costs a peer about 2.7 µs and us 0.1 µs: it is in the figures, since users pay it. Single queries run
 * on one thread; builds and batches on two. Sets come from $SHORTLIST_DATA; those that are missing are left out.
 */
import { mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Runtime, ScaNN } from 'shortlist';
import { interleave } from '../harness/interleave.ts';
import { figureOf, Peer, type PeerName } from '../harness/peer.ts';
import { finish, type Requirement, type Row, row } from '../harness/rows.ts';
import { buildOurs, fastest, gridOf, ourP50Ms, queryOf, type Reached, scanOurs, scanPeer } from './points.ts';
import { frenchSet, gloveSet, lastfmSet, prepare, recall, siftSet, tutorialSet, type VectorSet } from './sets.ts';
import { batchAndEvaluate } from './tfrs.ts';

const ABSENT = 'not installed';
const ROUNDS = 5;
const folder = join(process.env.SHORTLIST_BENCH ?? tmpdir(), 'shortlist-bench-ann');
const log = (text: string): void => console.error(text);
const rows: Row[] = [];

mkdirSync(folder, { recursive: true });
const data = process.env.SHORTLIST_DATA;
const work = await prepare();
log(`data: ${work.line}`);

/** What peers are built with, and the points they are tried at: their own tuned settings. */
const TUNED = { avq: 1.5, quantizeCentroids: true, reorderType: 'bfloat16', threads: 2 };

await largeSet({
  set: tutorialSet(work, folder),
  builds: [{ numLeaves: 2000, seed: 1 }],
  grid: gridOf([15, 20, 25, 30, 40], [40, 60, 100, 150]),
  recalls: [0.984],
  required: { scann: { ratio: 0.6 }, 'scann-core': { ratio: 0.85 } },
  peerBuild: { leaves: 2000, ...TUNED },
  peerGrid: gridOf([20, 30, 40, 50], [100, 150, 200]),
});
const glove = gloveSet(data, folder);
if (glove) {
  await largeSet({
    set: glove,
    builds: [
      { numLeaves: 1250, seed: 1 },
      { numLeaves: 1250, soar: 1, seed: 1 },
    ],
    grid: gridOf([15, 20, 30, 40, 60, 80, 110, 150, 200], [60, 100, 200, 300]),
    recalls: [0.9, 0.95, 0.99],
    required: { scann: { ratio: 0.8 }, 'scann-core': { ratio: 1 } },
    peerBuild: { leaves: 632, ...TUNED, avq: 2.5 },
    peerGrid: gridOf([15, 20, 30, 40, 60, 80, 100, 150], [100, 200, 300, 400]),
  });
}
for (const set of [frenchSet(data, folder), siftSet(data, folder), lastfmSet(data, folder)]) {
  if (set) rows.push(smallSet(set));
}
rows.push(...(await batchAndEvaluate(work, log)));
finish('ann', rows);

interface LargeSet {
  set: VectorSet;
  /** Our builds; each recall takes the fastest. The first is the one whose build, filter and bytes are measured. */
  builds: readonly Parameters<typeof buildOurs>[1][];
  grid: ReturnType<typeof gridOf>;
  recalls: readonly number[];
  required: Record<'scann' | 'scann-core', Requirement>;
  peerBuild: Record<string, unknown>;
  peerGrid: ReturnType<typeof gridOf>;
}

async function largeSet({ set, builds, grid, recalls, required, peerBuild, peerGrid }: LargeSet): Promise<void> {
  log(`${set.name}: building`);
  const built = builds.map((options) => ({ options, ...buildOurs(set, options) }));
  const [{ index, seconds }] = built as [(typeof built)[number]];
  const ours = built.flatMap((each) => scanOurs(each.index, set, grid).map((point) => ({ ...point, ...each })));
  const first = ours.filter((point) => point.index === index);
  for (const name of ['scann', 'scann-core'] as const) {
    const peer = Peer.start(name);
    let reached: (Reached & { point: object })[] = [];
    let peerSeconds: number | string = ABSENT;
    if (peer) {
      await peer.ask({ do: 'load', ...set.files, metric: set.metric });
      peerSeconds = figureOf(await peer.ask({ do: 'build', ...peerBuild }), 'seconds');
      reached = await scanPeer(peer, peerGrid);
    }
    for (const least of recalls) rows.push(await pointRow(name, peer, least, ours, reached));
    if (name === 'scann') {
      const work = `${set.name}: build, 2 threads`;
      rows.push(row({ work, ours: seconds, peer: peerSeconds, unit: 's', required: { ratio: 1.3 } }));
    }
    await peer?.close();
  }
  await graphPeers();
  rows.push(filterRow(), bytesRow(), upsertRow(set));

  async function pointRow(
    name: PeerName,
    peer: Peer | null,
    least: number,
    own: typeof ours,
    theirs: readonly (Reached & { point: object })[],
    requirement: Requirement = required[name as 'scann'] ?? { ratio: 0.7 },
  ): Promise<Row> {
    const mine = fastest(own, least);
    const other = fastest(theirs, least);
    const work = `${set.name}: p50 at recall@10 ≥ ${least}, ${name}`;
    if (!mine)
      return row({ work, ours: Number.NaN, peer: ABSENT, unit: 'ms', required: requirement, qualityHolds: false });
    const side = other && ((): Promise<number> => peer!.figure({ do: 'query', repeat: 2000, ...other.point }, 'p50Ms'));
    const { ours: a, peer: b } = await interleave(() => ourP50Ms(mine.index, set, mine, 2000), side ?? null, ROUNDS);
    const shown = (point: Reached): string => `${point.leavesToSearch}/${point.reorder} ${point.recall.toFixed(4)}`;
    const missed = peer ? `recall ${least} not reached` : ABSENT;
    const quality = { ours: `${shown(mine)}${mine.options.soar ? ' SOAR' : ''}`, peer: other ? shown(other) : '-' };
    return row({ work, ours: a.median, peer: b?.median ?? missed, unit: 'ms', required: requirement, quality });
  }

  async function graphPeers(): Promise<void> {
    for (const name of ['hnswlib-node', 'usearch'] as const) {
      const peer = Peer.start(name);
      let theirs: (Reached & { point: object })[] = [];
      let peerSeconds: number | string = ABSENT;
      if (peer) {
        log(`${set.name}: ${name} builds, a minute or two`);
        await peer.ask({ do: 'load', ...set.files, metric: set.metric });
        peerSeconds = figureOf(await peer.ask({ do: 'build', threads: 2 }), 'seconds');
        theirs = await scanPeer(peer, [{ ef: 60 }, { ef: 100 }, { ef: 150 }, { ef: 200 }, { ef: 400 }]);
      }
      rows.push(await pointRow(name, peer, 0.9, ours, theirs));
      const work = `${set.name}: build, ${name}`;
      rows.push(row({ work, ours: seconds, peer: peerSeconds, unit: 's', required: { ratio: 0.2 } }));
      await peer?.close();
    }
  }

  /** A random filter that keeps one row in a hundred: against no filter, and against scoring exactly the kept. */
  function filterRow(): Row {
    const n = set.base.length / set.dimensions;
    const kept = (at: number): boolean => (Math.imul(at + 1, 0x9e3779b1) >>> 0) % 100 === 0;
    const filter = index.compileFilter((_, at) => kept(at));
    const least = fastest(first, recalls[0]!) ?? first[0]!;
    const d = set.dimensions;
    const truth = keptTruth(set, Array.from({ length: n }, (_, at) => at).filter(kept), 200);
    const options = (leavesToSearch: number): object => ({ k: 10, leavesToSearch, reorder: 100, filter });
    let leaves = least.leavesToSearch;
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
      index.call(queryOf(set, i), { k: 10, leavesToSearch: least.leavesToSearch, reorder: least.reorder }),
    );
    filter.free();
    const quality = { recallAmongKept: share.toFixed(4), leaves, unfilteredMs: plain.toFixed(4) };
    return row({
      work: `${set.name}: a filter that keeps 1 %, against no filter (${d} dimensions)`,
      ours: filtered / plain,
      peer: null,
      unit: '× unfiltered',
      required: { atMost: 8 },
      qualityHolds: share >= 0.98,
      quality,
    });
  }

  function bytesRow(): Row {
    const n = set.base.length / set.dimensions;
    const beside = index.stats().partBytes;
    const own = Object.entries(beside).reduce((sum, [name, size]) => sum + (name === 'rows' ? 0 : Number(size)), 0);
    return row({
      work: `${set.name}: index bytes beside the vectors`,
      ours: own / n,
      peer: null,
      unit: 'bytes a candidate',
      required: { atMost: set.dimensions / 4 + 8 },
    });
  }
}

/** New candidates a second, a hundred a call, on one thread, into an index of 200,000. */
function upsertRow(set: VectorSet): Row {
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

/** A set below the size where a tree pays: the index answers exactly by itself. */
function smallSet(set: VectorSet): Row {
  const { index } = buildOurs(set, {});
  const share = recall(set.truth, (i) => index.call(queryOf(set, i), 10).rowsOf());
  const p50 = ourP50Ms(index, set, { leavesToSearch: 1, reorder: 10 });
  return row({
    work: `${set.name}: p50 with default settings`,
    ours: p50,
    peer: null,
    unit: 'ms',
    required: { none: true },
    quality: { recall: share.toFixed(4) },
  });
}
