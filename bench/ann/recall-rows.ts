/**
 * Rows of one set at several recalls: the p50 of single queries on one thread, and the time of a query in a batch of all
 * queries on two threads, each side with the fastest setting of its grid that reaches the recall.
 */
import { interleave } from '../harness/interleave.ts';
import { Peer, type PeerName } from '../harness/peer.ts';
import { type Requirement, type Row, row } from '../harness/rows.ts';
import {
  buildOurs,
  fastestAgain,
  latencyOf,
  type Own,
  type OwnOptions,
  ourBatchPerSecond,
  type Point,
  type Reached,
  scanOurs,
  scanPeer,
} from './points.ts';
import type { VectorSet } from './sets.ts';

/** Rounds of single queries, each of a thousand. */
const ROUNDS = 15;
const REPEAT = 1_000;
/**
 * Settings whose batches are timed, because the fastest for a batch is not always the fastest for single queries, and how often: a
 * batch takes tens of milliseconds, and on a shared machine some take twice as long as others.
 */
const BATCH_FINALISTS = 10;
const BATCH_ROUNDS = 21;

/** A setting of one of our builds. */
type OwnReached = Reached & { index: Own; options: OwnOptions };

/** A set with the builds and settings that are tried. */
export interface RecallRows {
  set: VectorSet;
  builds: readonly OwnOptions[];
  grid: readonly Point[];
  peers: readonly {
    name: PeerName;
    build: Readonly<Record<string, unknown>>;
    grid: readonly Point[];
    /** The recalls of single queries with the requirement, and those of batches. */
    single: Readonly<Record<string, Requirement>>;
    batch: Readonly<Record<string, Requirement>>;
  }[];
}

export async function recallRows(
  { set, builds, grid, peers }: RecallRows,
  log: (text: string) => void,
): Promise<Row[]> {
  log(`${set.name}: building ours`);
  const own = builds.flatMap((options) => {
    const { index } = buildOurs(set, options);
    return scanOurs(index, set, grid).map((reached) => ({ ...reached, index, options }));
  });
  const rows: Row[] = [];
  for (const { name, build, grid, single, batch } of peers) {
    const peer = Peer.start(name);
    if (!peer) log(`${name} is not installed`);
    log(`${set.name}: ${name} builds`);
    await peer?.request({ do: 'load', ...set.files, metric: set.metric });
    await peer?.request({ do: 'build', ...build });
    const theirs = peer ? await scanPeer(peer, grid) : [];
    for (const least of [...new Set([...Object.keys(single), ...Object.keys(batch)])].sort()) {
      const ourP50 = (at: OwnReached): number => latencyOf(at.index, set, at, REPEAT).p50Ms;
      const p50 = (point: object): Promise<number> =>
        peer!.requestNumber({ do: 'query', repeat: REPEAT, ...point }, 'p50Ms');
      const ourBatch = (at: OwnReached): number => 1_000 / ourBatchPerSecond(at.index, set, at);
      const batchOf = async (point: object): Promise<number> =>
        1_000 / (await peer!.requestNumber({ do: 'batch', threads: 2, ...point }, 'perSecond'));
      const measure = async (
        work: string,
        required: Requirement,
        ourMs: (at: OwnReached) => number,
        peerMs: (point: object) => Promise<number>,
        { finalists, rounds = ROUNDS }: { finalists?: number; rounds?: number } = {},
      ): Promise<void> => {
        const mine = await fastestAgain(own, Number(least), async (at) => ourMs(at), finalists, rounds);
        const other = await fastestAgain(theirs, Number(least), ({ point }) => peerMs(point), finalists, rounds);
        const found = await interleave(
          () => (mine ? ourMs(mine) : Number.NaN),
          other ? () => peerMs(other.point) : null,
          rounds,
        );
        const quality = {
          ours: mine ? shown(mine, mine.options) : 'not reached',
          peer: other ? shown(other) : 'not reached',
        };
        const [ms, peer] = [found.ours.median, found.peer?.median ?? `recall ${least} not measured`];
        rows.push(row({ work, ours: ms, peer, unit: 'ms', required, qualityHolds: mine !== undefined, quality }));
      };
      if (single[least]) {
        await measure(`${set.name}: p50 at recall@10 ≥ ${least}, ${name}`, single[least], ourP50, p50);
      }
      if (batch[least]) {
        const work = `${set.name}: a query in a batch of ${set.queries.length / set.dimensions}, 2 threads, at recall@10 ≥ ${least}, ${name}`;
        await measure(work, batch[least], ourBatch, batchOf, { finalists: BATCH_FINALISTS, rounds: BATCH_ROUNDS });
      }
    }
    await peer?.close();
  }
  for (const index of new Set(own.map(({ index }) => index))) index.free();
  return rows;
}

function shown({ leavesToSearch, reorder, recall }: Reached, options?: OwnOptions): string {
  return `${leavesToSearch}/${reorder} ${recall.toFixed(4)}${options ? ` ${JSON.stringify(options)}` : ''}`;
}
