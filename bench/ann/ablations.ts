/**
 * Measures the work that each part of the index saves: the counted work of a query at the cheapest setting that reaches a
 * recall, with and without the part.
 *
 *   npm run bench:ablations [-- WORD…]
 *
 * The work is that of `tune` without a clock: the numbers of products with centroids, codes and candidates, each multiplied by
 * its measured cost, so that rows do not depend on the load of the machine. Words select sets by name. Sets are read from
 * $SHORTLIST_DATA.
 */
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ScaNN, type ScannOptions, tune } from 'shortlist';
import { frenchSet, gloveSet, prepare, siftSet, tutorialSet, type VectorSet } from './sets.ts';

type Options = ScannOptions<number[]>;

const K = 10;
const SAMPLE = 250;
const MEASURES = { dot: 'dot_product', cosine: 'cosine', l2: 'squared_l2' } as const;
/** Variants of the index; each switches one part on or off. */
const ANY: Record<string, Options> = {
  default: {},
  'second leaves (`soar: 1`)': { soar: 1 },
  'groups of leaves (`upperTree: true`)': { upperTree: true },
  'bfloat16 rows': { reorder: 'bfloat16' },
  'int8 rows': { reorder: 'int8' },
  '1 dimension a block': { dimensionsPerBlock: 1 },
  '3 dimensions a block': { dimensionsPerBlock: 3 },
  'balanced PCA': { rotation: 'balanced-pca' },
  'balanced PCA, 3 dimensions a block': { rotation: 'balanced-pca', dimensionsPerBlock: 3 },
};
const PRODUCTS: Record<string, Options> = {
  ...ANY,
  'no correction block': { correction: false },
  'no bounds of groups': { groupBound: false },
  'means for centroids (`avq: false`)': { avq: false },
  'nearest codewords (η = 1)': { anisotropic: false },
  'η = 3': { anisotropic: 3 },
};

const folder = join(process.env.SHORTLIST_BENCH ?? tmpdir(), 'shortlist-bench-ann');
const data = process.env.SHORTLIST_DATA;
const words = process.argv.slice(2);
const wanted = (name: string): boolean => words.length === 0 || words.some((word) => name.includes(word));

if (wanted('tutorial')) await ablate(tutorialSet(await prepare(), folder), 2000, [0.95, 0.984, 0.995], PRODUCTS);
if (wanted('glove')) await ablate(gloveSet(data, folder), 1250, [0.9, 0.95, 0.99], PRODUCTS);
if (wanted('french')) await ablate(frenchSet(data, folder), 140, [0.9, 0.95, 0.99], PRODUCTS);
if (wanted('sift')) await ablate(siftSet(data, folder), 67, [0.9, 0.95, 0.99], ANY);

async function ablate(
  set: VectorSet | undefined,
  numLeaves: number,
  recalls: readonly number[],
  parts: Record<string, Options>,
): Promise<void> {
  if (!set) return;
  const { name, metric, dimensions, base } = set;
  const rowsOf = (query = 0): Int32Array => set.truth.subarray(query * K, query * K + K);
  console.log(
    `\n${name}, ${numLeaves} leaves: counted µs of a query (leaves searched/reordered), and bytes of a candidate`,
  );
  console.log(`| | ${recalls.join(' | ')} | bytes |\n|---|${'---|'.repeat(recalls.length + 1)}`);
  for (const [part, options] of Object.entries(parts)) {
    const index = new ScaNN<number[], number>({
      tree: 'always',
      distanceMeasure: MEASURES[metric],
      numLeaves,
      seed: 1,
      ...options,
    });
    index.index({ data: base, dimensions });
    const queries = { data: set.queries, dimensions };
    // Recall is measured against float32 rows, whatever number format the index has.
    const truth = { queries: Math.min(SAMPLE, set.truth.length / K), rowsOf };
    const cells: string[] = [];
    for (const targetRecall of recalls) {
      const { chosen, isTargetReached } = await tune(index, { queries, targetRecall, k: K, sampleSize: SAMPLE, truth });
      const { latencyMs, leavesToSearch, reorder } = chosen;
      cells.push(isTargetReached ? `${(1000 * latencyMs).toFixed(1)} (${leavesToSearch}/${reorder})` : 'not reached');
    }
    console.log(`| ${part} | ${cells.join(' | ')} | ${(index.sizeBytes / index.size).toFixed(0)} |`);
    index.free();
  }
}
