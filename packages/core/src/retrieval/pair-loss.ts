/**
 * Losses where rows may differ in the columns that they are compared with (masks, accidental hits, hard negatives): softmax
 * cross-entropy, BPR, and the cosine contrastive loss, whose formulas are in assembly/pairwise.ts. The operations are in TFRS's order:
 *
 *   1 scores, the best of the query's heads   2 divide by temperature   3 subtract log sampling probability
 *   4 leave out accidental hits   5 leave out masked pairs   6 keep the hardest negatives   7 softmax   8 batch metrics
 *
 * Queries are scored once against groups of equal columns (column-groups.ts), and each row then counts how many columns
 * of a group are its negatives: B · R steps instead of B². A column that is left out has weight 0, so that its probability
 * and gradient are exactly 0. Letters: B rows, U queries, R groups. Source: TFRS `tasks/retrieval.py`, `layers/loss.py`.
 */
import { LOSS_NUMBERS } from '../kernels/families/softmax.ts';
import { Scratch } from '../memory/scratch.ts';
import { modelPool } from '../parallel/model-pool.ts';
import type { Runtime } from '../parallel/runtime.ts';
import { Matrix } from '../vectors/matrix.ts';
import type { RetrievalBatch, RetrievalGradient } from './batch.ts';
import { type ColumnGroups, candidatesOfGroups, gradientsOfCandidates, groupColumns } from './column-groups.ts';
import { multiplyTile, tileRows } from './logit-tile.ts';
import { type SortedPairs, sortedPairsBytes, writeSortedPairs } from './sorted-pairs.ts';

/** The name of a loss. */
export type LossName = 'softmax' | 'bpr' | 'cosine-contrastive';

const PANEL = 8;
/** Queries of a work item: the four that are scored together, since some have hundreds of pairs. */
const GRAIN_QUERIES = 4;
/** Floats of scratch per column and thread: logit, weight, gradient. */
const SCRATCH_ROWS = 3;

/** The options of the task that this loss handles. */
export interface PairLossOptions {
  /** The loss of a row; margin and negativeWeight are those of the cosine contrastive loss. */
  loss: LossName;
  margin: number;
  negativeWeight: number;
  /** Whether the positives of other rows are negatives; otherwise only the columns past the rows are. */
  inBatchNegatives: boolean;
  temperature: number;
  removeAccidentalHits: boolean;
  /** Negatives kept for each row; undefined keeps all. */
  numHardNegatives: number | undefined;
  /** k of in-batch top-k accuracies. */
  batchMetrics: readonly number[];
  /** Factor of the gradients. */
  factor: number;
}

/** Weighted hits of in-batch metrics, in the order asked. */
export interface BatchHits {
  hits: number[];
}

/** Byte offsets of the inputs and outputs of the kernel. */
interface Layout {
  /** [B, 4] float64 */
  results: number;
  pairs: SortedPairs;
  counts: number;
  offsets: number;
  ids: number;
  /** Bit words of each pair; 0 where there is no mask. */
  masks: number;
  maskWords: number;
}

/** Computes losses pair by pair; keeps its scratch between batches. */
export class PairLoss {
  readonly #runtime: Runtime;
  readonly #layout: Scratch;
  readonly #packed: Scratch;
  readonly #tile: Scratch;

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
    this.#layout = new Scratch(runtime.heap);
    this.#packed = new Scratch(runtime.heap);
    this.#tile = new Scratch(runtime.heap);
  }

  /**
   * Loss Σ over rows, gradients of factor · loss, and weighted hits.
   *
   * @param learn false: no gradients, their matrices have no rows
   */
  compute(batch: RetrievalBatch, options: PairLossOptions, learn: boolean): RetrievalGradient & BatchHits {
    const { queries, heads = 1 } = batch;
    const pool = modelPool(this.#runtime);
    const { inBatchNegatives } = options;
    // A sampled negative that is the row's own positive is left out, as by TensorFlow's sampled softmax.
    const removes = options.removeAccidentalHits || !inBatchNegatives;
    const ids = removes ? (batch.candidateIds ?? batch.candidateOf) : undefined;
    const groups = groupColumns(batch, ids, inBatchNegatives ? 0 : batch.queryOf.length);
    const candidates = candidatesOfGroups(batch.candidates, groups);
    const d = queries.dimensions;
    const panels = Math.ceil(groups.count / PANEL);
    const columns = panels * PANEL;
    const layout = this.#write(batch, groups, columns, options);
    const packed = this.#packed.reserve(4 * columns * d).offset;
    const total = queries.rows / heads;
    const tileQueries = Math.min(total, tileRows(columns * heads, GRAIN_QUERIES));
    const tile = this.#tile.reserve(4 * columns * (tileQueries * heads + SCRATCH_ROWS * pool.threads)).offset;
    const scratch = tile + 4 * columns * tileQueries * heads;
    const gradients = {
      queryGradients: new Matrix(learn ? queries.rows : 0, d, this.#runtime),
      candidateGradients: new Matrix(learn ? groups.count : 0, d, this.#runtime),
    };
    pool.run('packPanels', panels, 16, candidates.offset, groups.count, d, packed);
    for (let first = 0; first < total; first += tileQueries) {
      const rows = Math.min(tileQueries, total - first);
      pool.run('softmaxPairs', rows, GRAIN_QUERIES, {
        first,
        heads,
        queries: queries.offset,
        d,
        packed,
        panels,
        scale: 1 / options.temperature,
        counts: layout.counts,
        offsets: layout.offsets,
        ids: removes ? layout.ids : 0,
        masks: layout.masks,
        maskWords: layout.maskWords,
        negatives: options.numHardNegatives ?? 0,
        loss: LOSS_NUMBERS[options.loss],
        margin: options.margin,
        negativeWeight: options.negativeWeight,
        pairStarts: layout.pairs.starts,
        pairColumns: layout.pairs.columns,
        pairWeights: layout.pairs.weights,
        learn: learn ? 1 : 0,
        tile,
        results: layout.results,
        scratch,
      });
      if (!learn) continue;
      const logits = { offset: tile, stride: columns, first: first * heads, rows: rows * heads };
      multiplyTile(logits, queries, candidates, gradients);
    }
    if (candidates !== batch.candidates) {
      const { candidateGradients } = gradients;
      if (learn) gradients.candidateGradients = gradientsOfCandidates(candidateGradients, batch.candidates, groups);
      if (learn) candidateGradients.free();
      candidates.free();
    }
    return { ...this.#sums(batch, layout, options), ...gradients };
  }

  /** Loss and hits, row after row, from the kernel's results. */
  #sums({ sampleWeight }: RetrievalBatch, layout: Layout, options: PairLossOptions): { loss: number } & BatchHits {
    const { rowOf } = layout.pairs;
    const results = new Float64Array(this.#runtime.heap.memory.memory.buffer, layout.results, 4 * rowOf.length);
    const hits = options.batchMetrics.map(() => 0);
    let loss = 0;
    for (let p = 0; p < rowOf.length; p++) {
      const rowWeight = sampleWeight ? sampleWeight[rowOf[p]!]! : 1;
      const [top, total, positive] = [results[4 * p]!, results[4 * p + 1]!, results[4 * p + 2]!];
      loss += rowWeight * (top + Math.log(total) - positive);
      options.batchMetrics.forEach((k, i) => {
        if (results[4 * p + 3]! < k) hits[i] = hits[i]! + rowWeight;
      });
    }
    return { loss, hits };
  }

  #write(batch: RetrievalBatch, groups: ColumnGroups, columns: number, { factor }: PairLossOptions): Layout {
    const { queryOf, sampleWeight, scoreMask, heads = 1 } = batch;
    const pairs = queryOf.length;
    const queries = batch.queries.rows / heads;
    const maskWords = scoreMask ? Math.ceil(columns / 32) : 0;
    const pairBytes = sortedPairsBytes(queries, pairs);
    const sizeBytes = 32 * pairs + pairBytes + 4 * (3 * columns + maskWords * pairs);
    // The float64 results stand first: everything after them needs only four-byte alignment.
    const results = this.#layout.reserve(sizeBytes).offset;
    const { buffer } = this.#runtime.heap.memory.memory;
    const counts = results + 32 * pairs + pairBytes;
    const [offsets, ids] = [counts + 4 * columns, counts + 8 * columns];
    const masks = scoreMask ? ids + 4 * columns : 0;
    const columnOf = groups.groupOf;
    const sorted = { queryOf, columnOf, sampleWeight, factor };
    const written = writeSortedPairs(buffer, results + 32 * pairs, queries, sorted);
    new Float32Array(buffer, counts, columns).fill(0).set(groups.sizes);
    const offset = new Float32Array(buffer, offsets, columns).fill(0);
    groups.corrections.forEach((correction, group) => {
      offset[group] = -correction;
    });
    new Int32Array(buffer, ids, columns).fill(0).set(groups.ids);
    if (scoreMask) {
      const words = new Int32Array(buffer, masks, maskWords * pairs).fill(0);
      written.rowOf.forEach((row, p) => {
        scoreMask[row]!.forEach((kept, j) => {
          const word = p * maskWords + (j >> 5);
          if (kept) words[word] = words[word]! | (1 << (j & 31));
        });
      });
    }
    return { results, pairs: written, counts, offsets, ids, masks, maskWords };
  }
}
