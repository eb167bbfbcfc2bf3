/**
 * Clicks with nine columns of ids and one label, as in a log of requests for access: a factorization machine over full tables
 * and over CQR, against the constant prediction of the mean. Resources, managers and roles decide planted requests, of which
 * some 6 % are refused; most resources and managers have few rows, some have none in the training part. As in logs of
 * that kind, the constant is hard to beat. Each model ends with its best epoch on a validation part.
 */
import { defaultRuntime, type EmbeddingOptions } from 'shortlist';
import { makeTable } from 'shortlist/embeddings';
import { Generator } from 'shortlist/random';
import { Adagrad, type ClickFitOptions, FactorizationMachine, type LabelledIds } from 'shortlist/training';
import { type Row, row } from '../harness/rows.ts';

/** Ids of each column. */
const SIZES = [4000, 2500, 60, 120, 240, 180, 1200, 40, 180];
const [RESOURCE, MANAGER, DEPARTMENT, ROLE] = [0, 1, 2, 7];
const DIMENSIONS = 8;
/** Parameters of a full table for each parameter of CQR. */
const BUDGET = 4;
const SEEDS = [1, 2, 3];

/** A share of refused requests like that of real logs, and rows enough for a resource to have eight on average. */
const LOGIT = 3.4;
const PARTS = { train: 30_000, validation: 5000, held: 20_000 };

type Parts = Record<keyof typeof PARTS, LabelledIds>;

function planted(seed: number): Parts {
  const world = new Generator(seed).fork('world');
  const effects = SIZES.map((size) => Float64Array.from({ length: size }, () => world.normal()));
  const draw = (name: keyof typeof PARTS): LabelledIds => {
    const generator = new Generator(seed).fork(name);
    const count = PARTS[name];
    const columns = SIZES.map(() => new Int32Array(count));
    const labels = new Uint8Array(count);
    for (let i = 0; i < count; i++) {
      SIZES.forEach((size, c) => {
        columns[c]![i] = Math.floor(size * generator.uniform() ** 2);
      });
      const effect = (c: number): number => effects[c]![columns[c]![i]!]!;
      const alone = 0.9 * effect(RESOURCE) + 0.7 * effect(MANAGER) + 0.8 * effect(ROLE);
      const z = LOGIT + alone + 0.6 * effect(DEPARTMENT) * effect(ROLE);
      labels[i] = generator.uniform() < 1 / (1 + Math.exp(-z)) ? 1 : 0;
    }
    return { columns, labels };
  };
  return { train: draw('train'), validation: draw('validation'), held: draw('held') };
}

/** The cross-entropy of the held part. */
async function fit(
  { train, validation, held }: Parts,
  seed: number,
  embedding: (size: number) => EmbeddingOptions,
  clusterings?: ClickFitOptions['clusterings'],
): Promise<number> {
  const tables = SIZES.map((vocabularySize, c) => {
    const context = { vocabularySize, dimensions: DIMENSIONS, seed: 10 * seed + c, runtime: defaultRuntime() };
    return makeTable(embedding(vocabularySize), context);
  });
  const model = new FactorizationMachine({ tables, optimizer: new Adagrad({ learningRate: 0.03 }) });
  await model.fit(train, { epochs: 8, batchSize: 256, validation, seed, ...(clusterings && { clusterings }) });
  return model.evaluate(held).crossEntropy;
}

/** The cross-entropy of the held part for the share of ones of the training part. */
function constant({ train, held }: Parts): number {
  const mean = (labels: Uint8Array): number => labels.reduce((sum, label) => sum + label, 0) / labels.length;
  const [share, ones] = [mean(train.labels), mean(held.labels)];
  return -ones * Math.log(share) - (1 - ones) * Math.log(1 - share);
}

/** Mean cross-entropies of three seeds. */
export async function access(): Promise<Row[]> {
  const sums = { constant: 0, full: 0, cqr: 0 };
  for (const seed of SEEDS) {
    const parts = planted(seed);
    const cqr = (size: number): EmbeddingOptions => {
      return { method: 'cqr', columns: 2, parameters: Math.floor((size * DIMENSIONS) / BUDGET) };
    };
    sums.constant += constant(parts) / SEEDS.length;
    sums.full += (await fit(parts, seed, () => ({ method: 'full' }))) / SEEDS.length;
    sums.cqr += (await fit(parts, seed, cqr, { every: 1, times: 2 })) / SEEDS.length;
  }
  const quality = {
    constant: sums.constant.toFixed(4),
    full: sums.full.toFixed(4),
    [`CQR at 1/${BUDGET}`]: sums.cqr.toFixed(4),
  };
  const work = 'planted requests for access, nine columns of ids, 3 seeds: cross-entropy below that of the constant,';
  const least = { unit: 'nats', peer: null, required: { atLeast: 0.005 } } as const;
  return [
    row({ ...least, work: `${work} full tables`, ours: sums.constant - sums.full, quality }),
    row({ ...least, work: `${work} CQR`, ours: sums.constant - sums.cqr }),
  ];
}
