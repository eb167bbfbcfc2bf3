/**
 * The rows of a small set, for which the index makes no leaves by default: with explicit leaves, compared with peers at the same
 * recall; and with default settings, which search exactly.
 */
import { interleave } from '../harness/interleave.ts';
import { Peer, type PeerName } from '../harness/peer.ts';
import { type Row, row } from '../harness/rows.ts';
import { buildOurs, fastest, gridOf, latencyOf, queryOf, scanOurs, scanPeer } from './points.ts';
import { recall, type VectorSet } from './sets.ts';

const ROUNDS = 5;
const LEAST = 0.95;

export async function smallSet(set: VectorSet): Promise<Row[]> {
  const leaves = Math.round(Math.sqrt(set.base.length / set.dimensions));
  const grid = gridOf([2, 4, 6, 8, 10, 15, 20, 30, 50, leaves], [20, 30, 50, 100]);
  const { index } = buildOurs(set, { tree: 'always', numLeaves: leaves, seed: 1 });
  const mine = fastest(scanOurs(index, set, grid), LEAST);
  const lift = set.metric === 'l2';
  const peers: [PeerName, object, readonly object[]][] = [
    ['scann', { leaves, reorderType: 'bfloat16' }, grid],
    ['scann-core', { leaves, lift, reorderType: 'bfloat16' }, grid],
    ['hnswlib', {}, [{ ef: 10 }, { ef: 20 }, { ef: 30 }, { ef: 50 }, { ef: 100 }, { ef: 200 }]],
  ];
  const rows: Row[] = [];
  for (const [name, options, points] of peers) {
    const peer = Peer.start(name);
    let other: Awaited<ReturnType<typeof scanPeer>>[number] | undefined;
    if (peer) {
      await peer.request({ do: 'load', ...set.files, metric: set.metric });
      await peer.request({ do: 'build', ...options });
      other = fastest(await scanPeer(peer, points), LEAST);
    }
    const { ours, peer: theirs } = await interleave(
      () => (mine ? latencyOf(index, set, mine).p50Ms : Number.NaN),
      peer && other ? () => peer.requestNumber({ do: 'query', repeat: 1000, ...other.point }, 'p50Ms') : null,
      ROUNDS,
    );
    await peer?.close();
    rows.push(
      row({
        work: `${set.name}: p50 at recall@10 ≥ ${LEAST}, ${name}`,
        ours: ours.median,
        peer: theirs?.median ?? (peer ? `recall ${LEAST} not reached` : 'not installed'),
        unit: 'ms',
        required: { none: true },
        quality: {
          'our recall': mine ? `${mine.leavesToSearch}/${mine.reorder} ${mine.recall.toFixed(4)}` : '-',
          'peer recall': other?.recall.toFixed(4) ?? '-',
        },
      }),
    );
  }
  index.free();
  return [...rows, exactRow(set)];
}

/** With default settings, all rows of such a small set are scored. */
function exactRow(set: VectorSet): Row {
  const { index } = buildOurs(set, { seed: 1 });
  const share = recall(set.truth, (i) => index.call(queryOf(set, i), 10).rowsOf());
  const { p50Ms } = latencyOf(index, set, { leavesToSearch: 1, reorder: 10 });
  index.free();
  const work = `${set.name}: p50 as it comes, without leaves`;
  const quality = { 'our recall': share.toFixed(4) };
  return row({ work, ours: p50Ms, peer: null, unit: 'ms', required: { none: true }, quality });
}
