/** The parts of a two-tower model, and one step of training or evaluation with them. */
import type { SparseOptimizer } from '../optimizers/contract.ts';
import { TableGradients } from '../towers/table-gradients.ts';
import type { Tower } from '../towers/tower.ts';
import type { Features } from '../towers/tower-inputs.ts';
import { Matrix } from '../vectors/matrix.ts';
import type { RetrievalBatch } from './batch.ts';
import type { CrossBatchMemory } from './cross-batch-memory.ts';
import type { EncodedDataset } from './dataset.ts';
import type { StepLosses } from './losses.ts';
import type { Retrieval } from './task.ts';

/** The parts of a model that `fit`, `evaluate` and checkpoints use. */
export interface ModelParts<Q extends Features, C extends Features> {
  readonly queryTower: Tower<Q>;
  readonly candidateTower: Tower<C>;
  readonly task: Retrieval;
  readonly optimizer: SparseOptimizer;
}

/**
 * The loss of a batch; with `learn` both towers are stepped by its gradients.
 *
 * @param memory the candidate vectors of earlier batches, as further negatives; the batch is added to them
 * @param trainingStep the number of the step, from which dropout draws and a learning rate follows
 */
export function step<Q extends Features, C extends Features>(
  model: ModelParts<Q, C>,
  batch: EncodedDataset,
  learn: boolean,
  trainingStep = 0,
  memory?: CrossBatchMemory,
): StepLosses {
  const drawnAt = learn ? trainingStep : undefined;
  const queries = batch.queries.distinct();
  const all = batch.negatives ? batch.candidates.concat(batch.negatives) : batch.candidates;
  const candidates = all.distinct();
  const sides: RetrievalBatch = {
    queries: model.queryTower.forward(queries.features, drawnAt),
    candidates: model.candidateTower.forward(candidates.features, drawnAt),
    vectorDimensions: model.queryTower.vectorDimensions,
    queryOf: queries.groupOf,
    candidateOf: candidates.groupOf,
    sampleWeight: batch.sampleWeight,
    candidateSamplingProbability: batch.candidateSamplingProbability,
    candidateIds: batch.columnKeys ?? batch.identifiers ?? candidates.groupOf,
  };
  const compared = memory?.isUsedAt(trainingStep) ? withMemory(sides, memory) : sides;
  const { queryGradients, candidateGradients, ...result } = model.task.compute(compared, { learn });
  if (compared !== sides) compared.candidates.free();
  if (learn && Number.isFinite(result.loss)) {
    const rows = batch.rows;
    memory?.add(sides, batch.columnKeys!.subarray(0, rows), batch.columnShares?.subarray(0, rows));
    const { optimizer } = model;
    const tables = new TableGradients();
    optimizer.beginStep(trainingStep);
    model.queryTower.backward(queryGradients, optimizer, tables);
    // The vectors of the memory take no gradients.
    const own = compared === sides ? candidateGradients : firstRows(candidateGradients, sides.candidates.rows);
    model.candidateTower.backward(own, optimizer, tables);
    tables.step(optimizer);
    optimizer.endStep();
    if (own !== candidateGradients) own.free();
  }
  queryGradients.free();
  candidateGradients.free();
  return result;
}

/** A batch with the vectors of the memory as further columns. */
function withMemory(batch: RetrievalBatch, memory: CrossBatchMemory): RetrievalBatch {
  const { candidates, candidateOf, candidateIds } = batch;
  const columns = Int32Array.from(memory.keys, (_, i) => candidates.rows + i);
  return {
    ...batch,
    candidates: memory.behind(candidates),
    candidateOf: joined(candidateOf, columns),
    candidateIds: joined(candidateIds as Int32Array, memory.keys),
  };
}

function joined(a: Int32Array, b: Int32Array): Int32Array {
  const all = new Int32Array(a.length + b.length);
  all.set(a);
  all.set(b, a.length);
  return all;
}

function firstRows({ dimensions, runtime, data }: Matrix, rows: number): Matrix {
  const first = new Matrix(rows, dimensions, runtime);
  first.data.set(data.subarray(0, rows * dimensions));
  return first;
}
