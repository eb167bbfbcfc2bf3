/** A program that names both measurements of a build: prints what they measured, for the index and for its rebuild. */
import { measuredRows, recallTarget, ScaNN } from 'shortlist';

const vectors = Array.from({ length: 200 }, (_, i) => Float32Array.from({ length: 512 }, (_, t) => Math.cos(i * t)));
const index = new ScaNN({
  ...{ tree: 'always', numLeaves: 4, numLeavesToSearch: 1, minLeafSize: 2 },
  ...{ targetRecall: recallTarget(0.9), reorder: measuredRows.name },
});
index.index(vectors);
const measured = (): boolean[] => {
  const stats = index.stats();
  return [stats.measured!.recall >= 0.9, stats.rowLoss !== undefined, stats.notes.length >= 2];
};
const before = measured();
await index.rebalance();
console.log(JSON.stringify([before, measured()]));
