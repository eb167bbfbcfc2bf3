/**
 * The speed table of the index. Our index and the peers are measured in turns, on the same vectors, each with the fastest
 * setting that reaches the required recall.
 *
 *   npm run bench:ann [-- --json] [-- --only tutorial,glove,small,batch,words,descriptors,texts] [-- --peers scann,scann-core,…]
 *
 * The times include the cost of a call, about 2.7 µs for a peer in Python and 0.1 µs for our index, because it is part of every
 * use. Single queries run on one thread, builds and batches on two. Sets are read from $SHORTLIST_DATA; missing ones are left
 * out. The whole table takes twenty minutes, mostly for the builds of graphs.
 */
import { mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { balancedPca } from 'shortlist';
import { finish, keepRows, type Requirement, type Row } from '../harness/rows.ts';
import { largeSet, type PeerPlan } from './large-set.ts';
import { gridOf, type Point } from './points.ts';
import { type RecallRows, recallRows } from './recall-rows.ts';
import {
  descriptorSet,
  frenchSet,
  gloveSet,
  lastfmSet,
  mnistSet,
  prepare,
  siftSet,
  textSet,
  tutorialSet,
} from './sets.ts';
import { smallSet } from './small-set.ts';
import { batchAndEvaluate } from './tfrs.ts';

const PARTS: Readonly<Record<string, () => Promise<Row[]>>> = {
  tutorial,
  glove,
  small,
  batch,
  words,
  descriptors,
  texts,
};
const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    only: { type: 'string', default: Object.keys(PARTS).join() },
    peers: { type: 'string' },
  },
});
const folder = join(process.env.SHORTLIST_BENCH ?? tmpdir(), 'shortlist-bench-ann');
const log = (text: string): void => console.error(text);
const data = process.env.SHORTLIST_DATA;

/** The build settings of ScaNN, tuned for ScaNN. */
const TUNED = { quantizeCentroids: true, reorderType: 'bfloat16', threads: 2 };
/** Graph indexes, built as in the benchmarks of their projects, and the requirements compared with them. */
const GRAPH = {
  build: { threads: 2 },
  grid: [{ ef: 20 }, { ef: 40 }, { ef: 60 }, { ef: 100 }, { ef: 150 }, { ef: 200 }, { ef: 400 }, { ef: 800 }],
  recalls: [0.9],
};
const GRAPHS: readonly PeerPlan[] = [
  { name: 'hnswlib', ...GRAPH, required: { none: true } },
  { name: 'hnswlib-node', ...GRAPH, required: { ratio: 0.7 }, buildRequired: { ratio: 0.2 } },
  { name: 'usearch', ...GRAPH, required: { ratio: 0.7 }, buildRequired: { ratio: 0.2 } },
];

mkdirSync(folder, { recursive: true });
const rows: Row[] = [];
const wanted = values.only.split(',');
for (const name of wanted) {
  const part = PARTS[name];
  if (!part) throw new Error(`--only: expected some of ${Object.keys(PARTS).join(', ')}, got ${name}`);
  const measured = await part();
  if (measured.length === 0)
    log(`${name}: left out, because its data or its peer are missing ($SHORTLIST_DATA is ${data ?? 'not set'})`);
  keepRows('ann', measured);
  rows.push(...measured);
}
finish('ann', rows, values.peers !== undefined || wanted.length < Object.keys(PARTS).length);

/** The peers that the command line names; default all. */
function chosen(peerPlans: readonly PeerPlan[]): PeerPlan[] {
  const names = values.peers?.split(',');
  return peerPlans.filter(({ name }) => names === undefined || names.includes(name));
}

async function tutorial(): Promise<Row[]> {
  const scann = { build: { leaves: 2000, avq: 1.5, ...TUNED }, grid: gridOf([20, 30, 40, 50], [100, 150, 200]) };
  return largeSet(
    {
      set: tutorialSet(await prepare(), folder),
      builds: [{ numLeaves: 2000, seed: 1 }],
      grid: gridOf([15, 20, 25, 30, 40], [40, 60, 100, 150]),
      recalls: [0.984],
      peerPlans: chosen([
        { name: 'scann', ...scann, required: { ratio: 0.6 }, buildRequired: { ratio: 1.3 } },
        { name: 'scann-core', ...scann, required: { ratio: 0.85 } },
        {
          name: 'faiss',
          build: { kind: 'ivf', leaves: 2000, threads: 2 },
          grid: gridOf([20, 40, 80, 120], [100, 200, 400]),
          required: { none: true },
        },
        ...GRAPHS,
      ]),
    },
    log,
  );
}

async function glove(): Promise<Row[]> {
  const set = gloveSet(data, folder);
  if (!set) return [];
  // Low and high recalls need different parts of a grid.
  const low = gridOf([15, 20, 25, 30, 40, 50, 60, 70, 80], [60, 80, 100, 150, 200]);
  const points = [...low, ...gridOf([160, 200, 240, 300], [200, 300, 400])];
  const scann = { build: { leaves: 632, avq: 2.5, ...TUNED }, grid: points };
  return largeSet(
    {
      set,
      builds: [
        { numLeaves: 1250, seed: 1 },
        { numLeaves: 1250, soar: 1, seed: 1 },
      ],
      grid: gridOf([12, 15, 18, 22, 26, 30, 34, 38, 42, 50, 60, 70, 80, 90, 110, 150, 200, 250], [40, 50, 60, 80, 100]),
      recalls: [0.9, 0.95, 0.99],
      peerPlans: chosen([
        { name: 'scann', ...scann, required: { ratio: 0.8 }, buildRequired: { none: true } },
        { name: 'scann-core', ...scann, required: { ratio: 1 }, onNode24: true },
        {
          name: 'faiss',
          build: { kind: 'ivf', leaves: 1250, threads: 2 },
          grid: gridOf([10, 20, 40, 80, 160], [40, 100, 200]),
          required: { none: true },
        },
        ...GRAPHS,
      ]),
    },
    log,
  );
}

async function small(): Promise<Row[]> {
  const sets = [frenchSet, lastfmSet, siftSet, mnistSet].map((make) => make(data, folder));
  const measured: Row[] = [];
  for (const set of sets) if (set) measured.push(...(await smallSet(set)));
  return measured;
}

/** scann and scann-core with this number of leaves; the second has the requirements of batches. */
function scannPeers(
  leaves: number,
  build: object,
  grid: readonly Point[],
  scann: Readonly<Record<string, Requirement>>,
  core: Readonly<Record<string, Requirement>>,
): RecallRows['peers'] {
  const same = { build: { leaves, ...TUNED, ...build }, grid };
  const batch = { '0.95': { ratio: 1 }, '0.99': { ratio: 1 } };
  const peers: RecallRows['peers'] = [
    { name: 'scann', ...same, single: scann, batch: {} },
    { name: 'scann-core', ...same, single: core, batch },
  ];
  return peers.filter(({ name }) => values.peers === undefined || values.peers.split(',').includes(name));
}

async function words(): Promise<Row[]> {
  const set = frenchSet(data, folder);
  const grid = gridOf(
    [30, 35, 40, 45, 50, 60, 80, 90, 100, 110, 120, 140],
    [40, 50, 80, 100, 120, 160, 200, 300, 500, 800],
  );
  const tree = { numLeaves: 140, seed: 1, tree: 'always' as const };
  // Another bound than that of the build may be faster.
  const second = { ...tree, soar: 1, reorder: 'bfloat16' as const };
  const builds = [tree, { ...tree, groupBound: 6 }, second, { ...second, groupBound: false as const }];
  const peers = scannPeers(140, { avq: 2.5 }, grid, {}, { '0.99': { ratio: 1 } });
  return set ? recallRows({ set, builds, grid, peers }, log) : [];
}

async function descriptors(): Promise<Row[]> {
  const set = await descriptorSet(folder);
  const grid = gridOf([14, 17, 20, 24, 28, 32, 36, 40, 45, 50, 56], [40, 50, 60, 70, 80, 100, 120, 150]);
  const rotated = { seed: 1, rotation: balancedPca.name, dimensionsPerBlock: 3 };
  const builds = [
    { numLeaves: 350, seed: 1 },
    { ...rotated, numLeaves: 350 },
    { ...rotated, numLeaves: 700, soar: 1, reorder: 'bfloat16' as const },
  ];
  // scann-core needs several hundred candidates for a recall of .99, where ours needs 80.
  const wide = gridOf([15, 20, 25, 30, 40, 50, 60, 80, 100], [60, 100, 150, 250, 400, 600]);
  const peers = scannPeers(350, { lift: true }, wide, {}, { '0.99': { ratio: 1 } });
  // Only scann-core has l2_as_dot_product.
  return set ? recallRows({ set, builds, grid, peers: peers.filter(({ name }) => name === 'scann-core') }, log) : [];
}

async function texts(): Promise<Row[]> {
  const set = textSet(data, 200_000, folder);
  const grid = gridOf([10, 12, 15, 20, 25, 30, 40, 50, 60, 80, 110, 150], [20, 30, 40, 60, 80, 120]);
  // docs/decisions/rotation-of-wide-vectors.md: rotated vectors need an eighth of the blocks.
  const rotated = {
    numLeaves: 450,
    seed: 1,
    rotation: balancedPca.name,
    dimensionsPerBlock: 16,
    reorder: 'int8' as const,
  };
  const builds = [{ ...rotated, soar: 1 }, rotated];
  const at = (ratio: number): Record<string, Requirement> => ({
    '0.9': { ratio },
    '0.95': { ratio },
    '0.99': { ratio },
  });
  const peers = scannPeers(
    450,
    { avq: 2.5 },
    gridOf([20, 30, 40, 50, 60, 80, 110, 150], [40, 100, 200]),
    at(0.7),
    at(0.85),
  );
  return set ? recallRows({ set, builds, grid, peers }, log) : [];
}

async function batch(): Promise<Row[]> {
  return batchAndEvaluate(await prepare(), log);
}
