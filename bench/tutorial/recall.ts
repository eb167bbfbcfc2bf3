/** The recall of our results compared with those of a peer, for the same queries. */
import { readNpy } from '../harness/npy.ts';

/** The share of the peer's results [queries, k], stored at `path`, that are also in ours. */
export function recallAgainst(path: string, rowsOf: (query: number) => ArrayLike<number>): number {
  const { data, shape } = readNpy(path);
  const [queries, k] = shape as [number, number];
  let shared = 0;
  for (let i = 0; i < queries; i++) {
    const found = new Set(Array.from(rowsOf(i)));
    for (let j = 0; j < k; j++) if (found.has(Number(data[i * k + j]))) shared++;
  }
  return shared / (queries * k);
}
