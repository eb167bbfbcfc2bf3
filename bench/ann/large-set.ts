/**
 * The rows of a large set: latency of single queries at each recall compared with each peer, builds, batches, bytes.
 *
 * Each side uses the fastest setting of its grid that reaches the recall; the first four are measured again. A peer runs
 * only while it is measured, because eight indexes of 1.68 million rows do not fit into memory together.
 */
import { interleave } from '../harness/interleave.ts';
import { numberOf, Peer, type PeerName } from '../harness/peer.ts';
import { type Requirement, type Row, row } from '../harness/rows.ts';
import { bytesRow, filterRow, loadRow, upsertRow } from './own-rows.ts';
import {
  buildOurs,
  fastest,
  fastestAgain,
  latencyOf,
  type OwnOptions,
  ourBatchPerSecond,
  type Point,
  type Reached,
  scanOurs,
  scanPeer,
} from './points.ts';
import type { VectorSet } from './sets.ts';

const ABSENT = 'not installed';
const ROUNDS = 5;
const REPEAT = 2000;

/** A peer: how it is built, the settings that are tried, and the requirements of our index compared with it. */
export interface PeerPlan {
  name: PeerName;
  build: Readonly<Record<string, unknown>>;
  grid: readonly object[];
  /** The requirements for single queries at each recall, and for the build. */
  required: Requirement;
  buildRequired?: Requirement;
  /** Recalls of this peer, instead of those of the set. */
  recalls?: readonly number[];
  /** True to compare with our index on Node 24, if that is installed. */
  onNode24?: boolean;
}

export interface LargeSet {
  set: VectorSet;
  /** Our builds, of which each recall uses the fastest. Build time, filter and bytes are measured on the first one. */
  builds: readonly OwnOptions[];
  grid: readonly Point[];
  recalls: readonly number[];
  peerPlans: readonly PeerPlan[];
}

type Candidate = Reached & { point: Point; latency(repeat: number): Promise<{ p50Ms: number; p99Ms: number }> };

export async function largeSet(of: LargeSet, log: (text: string) => void): Promise<Row[]> {
  const { set, builds, grid, recalls, peerPlans } = of;
  log(`${set.name}: building ours`);
  const built = builds.map((options) => ({ options, ...buildOurs(set, options) }));
  const [first] = built as [(typeof built)[number]];
  const here = built.flatMap(({ index, options }) =>
    scanOurs(index, set, grid).map((reached) => ({
      ...reached,
      point: reached,
      label: options.soar ? ' SOAR' : '',
      latency: async (repeat: number) => latencyOf(index, set, reached, repeat),
    })),
  );
  const node24 = peerPlans.some(({ onNode24 }) => onNode24) ? await otherNode(of, log) : undefined;
  const rows: Row[] = [];
  for (const peerPlan of peerPlans) {
    log(`${set.name}: ${peerPlan.name} builds`);
    const peer = Peer.start(peerPlan.name);
    let seconds: number | string = ABSENT;
    let theirs: Awaited<ReturnType<typeof scanPeer>> = [];
    if (peer) {
      await peer.request({ do: 'load', ...set.files, metric: set.metric });
      seconds = numberOf(await peer.request({ do: 'build', ...peerPlan.build }), 'seconds');
      theirs = await scanPeer(peer, peerPlan.grid);
    }
    const own = peerPlan.onNode24 && node24 ? node24.reached : here;
    const required = peerPlan.recalls ?? recalls;
    for (const least of required) {
      rows.push(await pointRow(peerPlan, peer, least, own, theirs));
    }
    if (peerPlan.buildRequired) {
      const work = `${set.name}: build, 2 threads, ${peerPlan.name}`;
      rows.push(row({ work, ours: first.seconds, peer: seconds, unit: 's', required: peerPlan.buildRequired }));
    }
    rows.push(await sizeAndBatchRow(peerPlan, peer, required[0]!, seconds, theirs));
    await peer?.close();
  }
  await node24?.close();
  const typical = fastest(here, recalls[0]!) ?? here[0]!;
  rows.push(filterRow(set, first.index, typical), bytesRow(set, first.index), await loadRow(set, first.index));
  rows.push(upsertRow(set));
  for (const { index } of built) index.free();
  return rows;

  async function pointRow(
    { name, required, onNode24 }: PeerPlan,
    peer: Peer | null,
    least: number,
    own: readonly (Candidate & { label: string })[],
    theirs: Awaited<ReturnType<typeof scanPeer>>,
  ): Promise<Row> {
    const mine = await fastestAgain(own, least, async (setting) => (await setting.latency(REPEAT)).p50Ms);
    const peerLatency = (point: object): Promise<number> =>
      peer!.requestNumber({ do: 'query', repeat: REPEAT, ...point }, 'p50Ms');
    const other = await fastestAgain(theirs, least, ({ point }) => peerLatency(point));
    const version = onNode24 ? `, ours on ${node24?.version ?? `Node ${process.versions.node.split('.')[0]}`}` : '';
    const work = `${set.name}: p50 at recall@10 ≥ ${least}, ${name}${version}`;
    if (!mine) return row({ work, ours: Number.NaN, peer: ABSENT, unit: 'ms', required, qualityHolds: false });
    const p99: number[] = [];
    const { ours, peer: measured } = await interleave(
      async () => {
        const { p50Ms, p99Ms } = await mine.latency(REPEAT);
        p99.push(p99Ms);
        return p50Ms;
      },
      other ? () => peerLatency(other.point) : null,
      ROUNDS,
    );
    const shown = (reached: Reached & { point: object }): string =>
      `${JSON.stringify(pointOf(reached.point))} ${reached.recall.toFixed(4)}`;
    const quality = {
      ours: `${shown(mine)}${mine.label}`,
      peer: other ? shown(other) : '-',
      'our p99 ms': Math.min(...p99).toFixed(4),
    };
    return row({
      work,
      ours: ours.median,
      peer: measured?.median ?? (peer ? missed(least, theirs) : ABSENT),
      unit: 'ms',
      required,
      quality,
    });
  }

  /** Further measurements of two systems at equal recall. */
  async function sizeAndBatchRow(
    { name }: PeerPlan,
    peer: Peer | null,
    least: number,
    seconds: number | string,
    theirs: Awaited<ReturnType<typeof scanPeer>>,
  ): Promise<Row> {
    const mine = fastest(here, least) ?? here[0]!;
    const other = fastest(theirs, least);
    const own = ourBatchPerSecond(first.index, set, mine);
    const n = set.base.length / set.dimensions;
    let quality: Record<string, number | string> = {
      'our bytes a row': (first.index.sizeBytes / n).toFixed(1),
      'our build s': first.seconds.toFixed(1),
    };
    let result: number | string = peer ? missed(least, theirs) : ABSENT;
    if (peer && other) {
      result = numberOf(await peer.request({ do: 'batch', threads: 2, ...other.point }), 'perSecond');
      const p99 = await peer.requestNumber({ do: 'query', repeat: REPEAT, ...other.point }, 'p99Ms');
      const bytes = await peer.requestNumber({ do: 'bytes' }, 'bytes');
      const more = { 'peer bytes a row': (bytes / n).toFixed(1), 'peer build s': Number(seconds).toFixed(1) };
      quality = { ...quality, ...more, 'peer recall': other.recall.toFixed(4), 'peer p99 ms': p99.toFixed(4) };
    }
    const work = `${set.name}: queries a second in one batch, 2 threads, recall@10 ≥ ${least}, ${name}`;
    return row({ work, ours: own, peer: result, unit: 'a second', required: { none: true }, quality });
  }
}

function missed(least: number, theirs: readonly Reached[]): string {
  return `recall ${least} not reached, ${Math.max(...theirs.map((point) => point.recall)).toFixed(3)} at most`;
}

function pointOf(point: object): object {
  const { leavesToSearch, reorder, ef } = point as { leavesToSearch: number; reorder: number; ef?: number };
  return ef === undefined ? { leavesToSearch, reorder } : { ef };
}

/** Our indexes in processes of Node 24, at the settings of the grid. */
async function otherNode(
  { set, builds, grid }: LargeSet,
  log: (text: string) => void,
): Promise<{ close(): Promise<unknown>; version: string; reached: (Candidate & { label: string })[] } | undefined> {
  const peers: Peer[] = [];
  const reached: (Candidate & { label: string })[] = [];
  let version = '';
  for (const options of builds) {
    const peer = Peer.start('shortlist-node24');
    if (!peer) return undefined;
    peers.push(peer);
    log(`${set.name}: ours on Node 24`);
    version = `Node ${String((await peer.request({ do: 'load', ...set.files, metric: set.metric })).version)}`;
    await peer.request({ do: 'build', ...options });
    for (const each of await scanPeer(peer, grid)) {
      const latency = async (repeat: number): Promise<{ p50Ms: number; p99Ms: number }> => {
        const reply = await peer.request({ do: 'query', repeat, ...each.point });
        return { p50Ms: numberOf(reply, 'p50Ms'), p99Ms: numberOf(reply, 'p99Ms') };
      };
      reached.push({ ...each, point: each.point as Point, label: options.soar ? ' SOAR' : '', latency });
    }
  }
  return { version, reached, close: () => Promise.all(peers.map((peer) => peer.close())) };
}
