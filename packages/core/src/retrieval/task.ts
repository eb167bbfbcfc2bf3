/**
 * The retrieval task: in-batch softmax with the options of TFRS's `tasks.Retrieval`, in its order of operations, and other
 * losses in its place.
 *
 *   softmax:            −log(exp(s⁺) / (exp(s⁺) + Σ_n exp(s_n)));   sampled softmax without in-batch negatives
 *   bpr:                mean_n log(1 + exp(s_n − s⁺));                Rendle and others, UAI 2009
 *   cosine-contrastive: (1 − s⁺) + negativeWeight · mean_n max(0, s_n − margin);   SimpleX, Mao and others, CIKM 2021
 *
 * The loss is a sum over rows (TFRS's and Keras's reduction for this task); `reduction: 'mean'` divides loss and gradients
 * by the number of rows. Batches that need no pair by itself take the grouped path (grouped-loss.ts), which is exact.
 */

import { checkInteger, checkNumber, checkOneOf, checkPositive, shown } from '../checks/numbers.ts';
import { BOOLEAN, LIST, NUMBER, optionsCheck, STRING } from '../checks/options.ts';
import { OptionError } from '../errors/errors.ts';
import { LOSS_NUMBERS } from '../kernels/families/softmax.ts';
import { defaultRuntime, type Runtime } from '../parallel/runtime.ts';
import { Matrix, type VectorsLike } from '../vectors/matrix.ts';
import { checkBatch, type RetrievalBatch, type RetrievalGradient } from './batch.ts';
import { GroupedLoss } from './grouped-loss.ts';
import { type LossName, PairLoss } from './pair-loss.ts';

/** Options of the task. */
export interface RetrievalOptions {
  /** The loss of a row; default 'softmax'. The sampling correction changes 'softmax' alone. */
  loss?: LossName;
  /** Of 'cosine-contrastive': negatives with a smaller cosine add nothing; default 0.8, from −1 to 1. */
  margin?: number;
  /** Of 'cosine-contrastive': the weight of the negatives of a row against its positive; default 150. */
  negativeWeight?: number;
  /**
   * Whether the positives of the other rows are negatives; default true. false leaves the columns past the rows, such as
   * those of `negatives` of `fit`: with the loss 'softmax' this is sampled softmax. A negative that is the row's own positive
   * is then always left out.
   */
  inBatchNegatives?: boolean;
  /** Scores are divided by it before the sampling correction; default 1. */
  temperature?: number;
  /** Leave out columns that are the row's own positive again; needs candidate ids. Default false. */
  removeAccidentalHits?: boolean;
  /** Keep so many of the hardest negatives per row, at least 1; default all. */
  numHardNegatives?: number | undefined;
  /** Σ over rows, or their mean; default 'sum'. */
  reduction?: 'sum' | 'mean';
  /** k of in-batch top-k accuracies; ties count as hits. Default none. */
  batchMetrics?: readonly number[];
}

const LOSSES = Object.keys(LOSS_NUMBERS) as LossName[];
/** A hinge on the closest negatives alone, which then weigh much; SimpleX tunes both for each data set. */
const MARGIN = 0.8;
const NEGATIVE_WEIGHT = 150;
/** The largest distance of a vector's length from 1 that is taken for rounding. */
const LENGTH_TOLERANCE = 1e-3;

const checkOptions = optionsCheck<RetrievalOptions>('Retrieval', {
  loss: STRING,
  margin: NUMBER,
  negativeWeight: NUMBER,
  inBatchNegatives: BOOLEAN,
  temperature: NUMBER,
  removeAccidentalHits: BOOLEAN,
  numHardNegatives: NUMBER,
  reduction: STRING,
  batchMetrics: LIST,
});

/** The loss of one batch. */
export interface RetrievalResult extends RetrievalGradient {
  /** By the task's reduction. */
  loss: number;
  /** Σ loss / rows, whatever the reduction. */
  perExample: number;
  /** Σ sample weights. */
  weight: number;
  /** By `batchMetricNames`; absent where none was asked for or no row has weight. */
  batchMetrics?: Record<string, number>;
}

/** Options of `call`. */
export type RetrievalInputs = Pick<
  RetrievalBatch,
  'sampleWeight' | 'candidateSamplingProbability' | 'candidateIds' | 'scoreMask'
> & {
  /** Vectors a query has: rows of query embeddings are then [B · heads]. Default 1. */
  heads?: number;
};

const checkInputs = optionsCheck<RetrievalInputs>('Retrieval.call', {
  sampleWeight: LIST,
  candidateSamplingProbability: LIST,
  candidateIds: LIST,
  scoreMask: LIST,
  heads: NUMBER,
});
const checkCompute = optionsCheck<{ learn?: boolean }>('Retrieval.compute', { learn: BOOLEAN });

/** The retrieval task. */
export class Retrieval {
  readonly loss: LossName;
  readonly margin: number;
  readonly negativeWeight: number;
  readonly inBatchNegatives: boolean;
  readonly temperature: number;
  readonly removeAccidentalHits: boolean;
  readonly numHardNegatives: number | undefined;
  readonly reduction: 'sum' | 'mean';
  readonly batchMetrics: readonly number[];
  readonly #paths = new WeakMap<Runtime, Paths>();

  /** @throws {OptionError} when an option is out of range */
  constructor(options: RetrievalOptions = {}) {
    const {
      loss = 'softmax',
      margin = MARGIN,
      negativeWeight = NEGATIVE_WEIGHT,
      inBatchNegatives = true,
      temperature = 1,
      removeAccidentalHits = false,
      numHardNegatives,
      reduction = 'sum',
      batchMetrics = [],
    } = checkOptions(options);
    this.loss = checkOneOf('loss', loss, LOSSES);
    this.margin = checkNumber('margin', margin, -1, 1);
    this.negativeWeight = checkNumber('negativeWeight', negativeWeight, 0);
    this.inBatchNegatives = inBatchNegatives;
    checkContrastive(options);
    this.temperature = checkPositive('temperature', temperature);
    this.removeAccidentalHits = removeAccidentalHits;
    this.numHardNegatives = numHardNegatives;
    if (numHardNegatives !== undefined) checkInteger('numHardNegatives', numHardNegatives, 1);
    this.reduction = checkOneOf('reduction', reduction, ['sum', 'mean']);
    this.batchMetrics = batchMetrics;
    for (const k of batchMetrics) checkInteger('batchMetrics', k, 1);
  }

  /** `batch_top_k_categorical_accuracy` of each k asked. */
  get batchMetricNames(): string[] {
    return this.batchMetrics.map((k) => `batch_top_${k}_categorical_accuracy`);
  }

  /**
   * The loss of query embeddings [B · heads, d] against candidate embeddings [n, d], row i's positive being column i.
   *
   * @throws {ShapeError} when lengths do not fit, or n < B
   */
  call(queries: VectorsLike, candidates: VectorsLike, options: RetrievalInputs = {}): RetrievalResult {
    const { heads = 1, ...inputs } = checkInputs(options);
    const runtime = queries instanceof Matrix ? queries.runtime : defaultRuntime();
    checkInteger('heads', heads, 1, 255);
    const [q, c] = [widened('queries', queries, runtime), widened('candidates', candidates, runtime)];
    const numbers = (length: number): Int32Array => Int32Array.from({ length }, (_, i) => i);
    return this.compute({
      queries: q,
      candidates: c,
      queryOf: numbers(Math.floor(q.rows / heads)),
      candidateOf: numbers(c.rows),
      heads,
      ...inputs,
    });
  }

  /**
   * The loss of a batch whose distinct rows are known; with `learn: false` gradients may have no rows.
   *
   * @throws {ShapeError} when its parts do not fit together
   * @throws {OptionError} when accidental hits are to be removed and there are no candidate ids
   */
  compute(batch: RetrievalBatch, options: { learn?: boolean } = {}): RetrievalResult {
    const { learn = true } = checkCompute(options);
    checkBatch(batch);
    if (this.removeAccidentalHits && !batch.candidateIds) {
      throw new OptionError('candidateIds: expected one per column when accidental hits are removed, got none');
    }
    const rows = batch.queryOf.length;
    const weight = batch.sampleWeight ? Array.from(batch.sampleWeight).reduce((sum, w) => sum + w, 0) : rows;
    const factor = this.reduction === 'mean' ? 1 / rows : 1;
    const { runtime } = batch.queries;
    const { removeAccidentalHits, numHardNegatives, batchMetrics, temperature, loss: name } = this;
    // An evaluation compares each row with the candidates of its batch, whatever training samples.
    const inBatchNegatives = this.inBatchNegatives || (!learn && batch.candidateOf.length === rows);
    if (!inBatchNegatives && batch.candidateOf.length === rows) {
      throw new OptionError('inBatchNegatives: expected columns past the rows where it is false, got none');
    }
    const isSpecial = name !== 'softmax' || !inBatchNegatives;
    const byPair = isSpecial || removeAccidentalHits || numHardNegatives !== undefined || batchMetrics.length > 0;
    if (!byPair && !batch.scoreMask && (batch.heads ?? 1) === 1) {
      const { loss, ...gradients } = this.#pathsOf(runtime).grouped.compute(batch, temperature, factor, learn);
      return { ...gradients, loss: loss * factor, perExample: loss / rows, weight };
    }
    if (name === 'cosine-contrastive') checkLengths(batch);
    const { margin, negativeWeight } = this;
    const of = { loss: name, margin, negativeWeight, inBatchNegatives };
    const how = { ...of, temperature, removeAccidentalHits, numHardNegatives, batchMetrics, factor };
    const corrected = name === 'softmax' ? batch : { ...batch, candidateSamplingProbability: undefined };
    const { loss, hits, ...gradients } = this.#pathsOf(runtime).pairs.compute(corrected, how, learn);
    const result: RetrievalResult = { ...gradients, loss: loss * factor, perExample: loss / rows, weight };
    if (batchMetrics.length > 0 && weight > 0) {
      result.batchMetrics = Object.fromEntries(this.batchMetricNames.map((name, i) => [name, hits[i]! / weight]));
    }
    return result;
  }

  #pathsOf(runtime: Runtime): Paths {
    let paths = this.#paths.get(runtime);
    if (!paths) {
      paths = { grouped: new GroupedLoss(runtime), pairs: new PairLoss(runtime) };
      this.#paths.set(runtime, paths);
    }
    return paths;
  }
}

/** The two ways to the loss, with their scratch. */
interface Paths {
  grouped: GroupedLoss;
  pairs: PairLoss;
}

/** Refuse options of the cosine contrastive loss beside another, and a temperature beside it. */
function checkContrastive({ loss = 'softmax', margin, negativeWeight, temperature }: RetrievalOptions): void {
  const isContrastive = loss === 'cosine-contrastive';
  for (const [name, value] of Object.entries({ margin, negativeWeight })) {
    if (value === undefined || isContrastive) continue;
    throw new OptionError(`${name}: expected the loss 'cosine-contrastive' beside it, got ${shown(loss)}`);
  }
  if (isContrastive && temperature !== undefined && temperature !== 1) {
    throw new OptionError(`temperature: expected 1 for the loss 'cosine-contrastive', got ${temperature}`);
  }
}

/** Refuse vectors whose inner products are no cosines; vectors of zeros pass. */
function checkLengths({ queries, candidates, vectorDimensions = queries.dimensions }: RetrievalBatch): void {
  for (const [name, { rows, dimensions, data }] of Object.entries({ queries, candidates })) {
    for (let i = 0; i < rows; i++) {
      let square = 0;
      for (let t = i * dimensions; t < i * dimensions + vectorDimensions; t++) square += data[t]! ** 2;
      if (square === 0 || !(Math.abs(Math.sqrt(square) - 1) > LENGTH_TOLERANCE)) continue;
      const advice = "(`normalize: true` of the tower) for the loss 'cosine-contrastive'";
      throw new OptionError(
        `${name}: expected vectors of length 1 ${advice}, got length ${Math.sqrt(square)} in row ${i}`,
      );
    }
  }
}

/** Vectors as a matrix whose width is a multiple of 4, which the kernels need. */
function widened(name: string, vectors: VectorsLike, runtime: Runtime): Matrix {
  const matrix = Matrix.from(name, vectors, runtime);
  if (matrix.dimensions % 4 === 0) return matrix;
  const wide = new Matrix(matrix.rows, Math.ceil(matrix.dimensions / 4) * 4, runtime);
  for (let i = 0; i < matrix.rows; i++) wide.row(i).set(matrix.row(i));
  return wide;
}
