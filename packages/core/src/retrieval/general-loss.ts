/**
 * In-batch softmax cross-entropy row by row: what needs every pair of the batch, in TFRS's order of operations.
 *
 *   1 scores, the best of the query's heads   2 divide by temperature   3 subtract log sampling probability
 *   4 leave out accidental hits   5 leave out masked pairs   6 keep the hardest negatives   7 softmax   8 batch metrics
 *
 * Left-out logits are −Infinity, so that their probability and gradient are exactly 0. Rows go through in tiles of at most
 * TILE_BYTES. Source: TFRS `tasks/retrieval.py`, `layers/loss.py`.
 */
import { Scratch } from '../memory/scratch.ts';
import type { Runtime } from '../parallel/runtime.ts';
import { Matrix } from '../vectors/matrix.ts';
import { logCorrection, type RetrievalBatch, type RetrievalGradient } from './batch.ts';

/** Logits held at once, of each of the two forms (by distinct candidate, by column). */
const TILE_BYTES = 16 * 2 ** 20;
const GRAIN_ROWS = 8;
const PANEL = 8;

/** What the task asks of this path. */
export interface GeneralLossOptions {
  temperature: number;
  removeAccidentalHits: boolean;
  /** Negatives kept a row; undefined keeps all. */
  numHardNegatives: number | undefined;
  /** k of in-batch top-k accuracies. */
  batchMetrics: readonly number[];
  /** Factor of the gradients. */
  factor: number;
}

/** Weighted hits of in-batch metrics, in the order asked. */
export interface BatchHits {
  hits: number[];
  weight: number;
}

/** Loss, gradients and batch metrics over all pairs of a batch. */
export function generalLoss(
  batch: RetrievalBatch,
  options: GeneralLossOptions,
  runtime: Runtime,
): RetrievalGradient & BatchHits {
  const { queries, candidates, queryOf, candidateOf, heads = 1, sampleWeight } = batch;
  const [d, rows, n, m] = [queries.dimensions, queryOf.length, candidateOf.length, candidates.rows];
  const panels = Math.ceil(m / PANEL);
  const distinct = panels * PANEL;
  const columns = Math.ceil(n / PANEL) * PANEL;
  const widest = Math.max(columns, heads * distinct);
  const tileRows = Math.max(1, Math.min(rows, Math.floor(TILE_BYTES / (4 * widest))));
  const { heap, pool, kernels } = runtime;
  const scratch = new Scratch(heap);
  const block = scratch.reserve(24 * tileRows + 4 * (tileRows * 4 + 1 + columns + distinct * d + tileRows * columns));
  let end = block.offset;
  const take = (sizeBytes: number): number => {
    const offset = end;
    end += sizeBytes;
    return offset;
  };
  const results = take(24 * tileRows);
  const [rowWeights, pairColumns, pairWeights] = [take(4 * tileRows), take(4 * tileRows), take(4 * tileRows)];
  const [pairStarts, columnWeights] = [take(4 * (tileRows + 1)), take(4 * columns)];
  const [packed, logits] = [take(4 * distinct * d), take(4 * tileRows * columns)];
  const { buffer } = heap.memory.memory;
  const floats = (offset: number, length: number): Float32Array => new Float32Array(buffer, offset, length);
  floats(columnWeights, columns).fill(0).fill(1, 0, n);
  new Int32Array(buffer, pairStarts, tileRows + 1).forEach((_, i, starts) => {
    starts[i] = i;
  });
  pool.run('packPanels', panels, PANEL, candidates.offset, m, d, packed);
  const tileQueries = new Matrix(tileRows * heads, d, runtime);
  const scores = new Matrix(tileRows * heads, distinct, runtime);
  const tileGradients = new Matrix(tileRows * heads, d, runtime);
  const best = new Int32Array(heads > 1 ? tileRows * n : 0);
  const queryGradients = new Matrix(queries.rows, d, runtime);
  const candidateGradients = new Matrix(m, d, runtime);
  const hits = options.batchMetrics.map(() => 0);
  let loss = 0;
  let weight = 0;
  for (let first = 0; first < rows; first += tileRows) {
    const count = Math.min(tileRows, rows - first);
    for (let r = 0; r < count * heads; r++) {
      const query = queryOf[first + Math.floor(r / heads)]! * heads + (r % heads);
      tileQueries.data.set(queries.row(query), r * d);
    }
    kernels.scorePanels(tileQueries.offset, 0, count * heads, d, packed, 0, panels, scores.offset, distinct);
    const scored = scores.data;
    for (let r = 0; r < count; r++) {
      const row = first + r;
      const logit = floats(logits + 4 * r * columns, columns).fill(0);
      for (let j = 0; j < n; j++) {
        const at = r * heads * distinct + candidateOf[j]!;
        let [score, head] = [scored[at]!, 0];
        for (let h = 1; h < heads; h++) {
          if (scored[at + h * distinct]! > score) [score, head] = [scored[at + h * distinct]!, h];
        }
        if (heads > 1) best[r * n + j] = head;
        logit[j] = score / options.temperature - logCorrection(batch.candidateSamplingProbability, j);
      }
      leaveOut(logit.subarray(0, n), row, batch, options);
      const rowWeight = sampleWeight ? sampleWeight[row]! : 1;
      floats(rowWeights, count)[r] = rowWeight * options.factor;
      floats(pairWeights, count)[r] = rowWeight * options.factor;
      new Int32Array(buffer, pairColumns, count)[r] = row;
      const harder = countAbove(logit.subarray(0, n), logit[row]!);
      options.batchMetrics.forEach((k, i) => {
        if (harder < k) hits[i] = hits[i]! + rowWeight;
      });
      weight += rowWeight;
    }
    pool.run(
      'softmaxLogits',
      count,
      GRAIN_ROWS,
      logits,
      columns,
      rowWeights,
      columnWeights,
      pairStarts,
      pairColumns,
      pairWeights,
      results,
    );
    const result = new Float64Array(buffer, results, 3 * count);
    scored.fill(0);
    for (let r = 0; r < count; r++) {
      const rowWeight = floats(rowWeights, count)[r]!;
      loss += rowWeight * (result[3 * r]! + Math.log(result[3 * r + 1]!)) - result[3 * r + 2]!;
      const gradient = floats(logits + 4 * r * columns, columns);
      for (let j = 0; j < n; j++) {
        const head = heads > 1 ? best[r * n + j]! : 0;
        const at = (r * heads + head) * distinct + candidateOf[j]!;
        scored[at] = scored[at]! + gradient[j]! / options.temperature;
      }
    }
    const used = count * heads;
    pool.run('multiplyRows', used, GRAIN_ROWS, scores.offset, distinct, m, candidates.offset, d, tileGradients.offset);
    pool.run(
      'multiplyTransposed',
      Math.ceil(m / 4),
      GRAIN_ROWS,
      scores.offset,
      distinct,
      used,
      m,
      tileQueries.offset,
      d,
      candidateGradients.offset,
    );
    for (let r = 0; r < used; r++) {
      const query = queryOf[first + Math.floor(r / heads)]! * heads + (r % heads);
      const [to, from] = [queryGradients.row(query), tileGradients.row(r)];
      for (let t = 0; t < d; t++) to[t] = to[t]! + from[t]!;
    }
  }
  for (const matrix of [tileQueries, scores, tileGradients]) matrix.free();
  block.free();
  return { loss: loss / options.factor, queryGradients, candidateGradients, hits, weight };
}

/** Set the logits of pairs that do not count to −Infinity; the row's own positive always stays. */
function leaveOut(logit: Float32Array, row: number, batch: RetrievalBatch, options: GeneralLossOptions): void {
  const { candidateIds, scoreMask } = batch;
  for (let j = 0; j < logit.length; j++) {
    if (j === row) continue;
    const hit = options.removeAccidentalHits && candidateIds![j] === candidateIds![row];
    if (hit || (scoreMask && !scoreMask[row]![j])) logit[j] = Number.NEGATIVE_INFINITY;
  }
  const { numHardNegatives } = options;
  if (numHardNegatives === undefined || numHardNegatives >= logit.length - 1) return;
  const positive = logit[row]!;
  logit[row] = Number.NEGATIVE_INFINITY;
  const threshold = logit.toSorted()[logit.length - numHardNegatives]!;
  let ties = numHardNegatives - countAbove(logit, threshold);
  for (let j = 0; j < logit.length; j++) {
    if (logit[j]! > threshold || (logit[j] === threshold && ties-- > 0)) continue;
    logit[j] = Number.NEGATIVE_INFINITY;
  }
  logit[row] = positive;
}

function countAbove(values: Float32Array, limit: number): number {
  let above = 0;
  for (const value of values) if (value > limit) above++;
  return above;
}
