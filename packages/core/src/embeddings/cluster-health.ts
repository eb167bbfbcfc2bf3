/**
 * The health of a clustering: the entropies of its pointers, which are low where many ids share the same rows.
 *
 *   H1 = min over columns of the entropy of a pointer;   H2 = min over pairs of columns of the entropy of both, in bits
 *
 * Source: the CCE paper (NeurIPS 2023), appendix H. H1 near 0 means that a column has collapsed: nearly
 * every id points to the same row. H2 near H1 means that two columns group ids alike. At most SAMPLE_MAX ids, evenly spaced,
 * are counted.
 */

/** Ids counted for the entropies: enough for a hundredth of a bit. */
const SAMPLE_MAX = 200_000;
/** A column whose entropy is below this share of log2 k has collapsed: fewer than about √k of its rows are in use. */
const COLLAPSE_SHARE = 0.5;

/** The health of a clustering: entropies of its pointers. */
export interface ClusterHealth {
  /** Bits; at most log2 k. */
  h1: number;
  /** Bits; at most 2 · log2 k. Equal to h1 where there is one column. */
  h2: number;
  /** Clusters, of all columns, that no id points to. */
  emptyClusters: number;
  /** Mean over ids of |vector after − vector before|². */
  meanSquaredChange: number;
  /** Columns that have collapsed; a run should warn of any. */
  collapsedColumns: number[];
}

/** Entropies of pointers [V, columns] into `rows` rows each. */
export function clusterHealth(
  pointers: Uint16Array,
  columns: number,
  rows: number,
  meanSquaredChange: number,
): ClusterHealth {
  const ids = pointers.length / columns;
  const step = Math.max(1, Math.floor(ids / SAMPLE_MAX));
  const single = Array.from({ length: columns }, (_, j) => entropy(ids, step, (id) => pointers[id * columns + j]!));
  const h1 = Math.min(...single);
  let h2 = columns === 1 ? h1 : Number.POSITIVE_INFINITY;
  for (let a = 0; a < columns; a++) {
    for (let b = a + 1; b < columns; b++) {
      h2 = Math.min(
        h2,
        entropy(ids, step, (id) => pointers[id * columns + a]! * rows + pointers[id * columns + b]!),
      );
    }
  }
  const used = new Uint8Array(columns * rows);
  for (let i = 0; i < pointers.length; i++) used[(i % columns) * rows + pointers[i]!] = 1;
  const emptyClusters = used.reduce((sum, use) => sum - use, used.length);
  const most = Math.log2(Math.min(rows, ids));
  const collapsedColumns = single.flatMap((h, j) => (most > 0 && h < COLLAPSE_SHARE * most ? [j] : []));
  return { h1, h2, emptyClusters, meanSquaredChange, collapsedColumns };
}

function entropy(ids: number, step: number, value: (id: number) => number): number {
  const counts = new Map<number, number>();
  let total = 0;
  for (let id = 0; id < ids; id += step) {
    const key = value(id);
    counts.set(key, (counts.get(key) ?? 0) + 1);
    total++;
  }
  let bits = 0;
  for (const count of counts.values()) bits -= (count / total) * Math.log2(count / total);
  return bits;
}
