/**
 * The click task, as in the MovieLens experiments of the CCE paper: a rating of 4 or more is a click, a rating of 3 is left
 * out, others are no clicks. The model is σ(⟨user, movie⟩), trained on cross-entropy. The last two ratings of each user
 * are the validation part, and the best of 15 epochs counts.
 */
import { defaultRuntime, type Matrix } from 'shortlist';
import type { MovieLensRatings } from 'shortlist/datasets';
import { fitQuantizedAls, makeTable, pointByCoOccurrence } from 'shortlist/embeddings';
import { Generator } from 'shortlist/random';
import { Adagrad, type Clicks, MatrixFactorization } from 'shortlist/training';
import type { Experiment, Tables, Trained, TrainingOptions } from './experiment.ts';

const DIMENSIONS = 32;
const BATCH_SIZE = 512;
/** Chosen for the full table, on a validation part cut from the training part: 0.05 and 0.1 were equal, 0.2 was worse. */
const LEARNING_RATE = 0.05;
/** Rows with label 0 are the negatives, so that other pairs count little. */
const ALS = { unobservedWeight: 0.01, regularization: 0.05 } as const;
/** Rows of each user that are held out: the last ones. */
const VALIDATION_ROWS = 2;

/** Clicks, split into training and validation part, and the number of users and of items. */
export interface ClickData {
  line: string;
  train: Clicks;
  validation: Clicks;
  vocabularySizes: readonly [number, number];
}

/** The click task on some data. */
export function clickExperiment(data: ClickData, epochs: number): Experiment {
  return {
    name: 'clicks',
    line: data.line,
    figures: ['crossEntropy', 'auc'],
    isLowerBetter: true,
    dimensions: DIMENSIONS,
    vocabularySizes: data.vocabularySizes,
    train: (options) => train(data, epochs, options),
    evaluate: (tables) => evaluate(tables, data.validation),
  };
}

async function train(
  { train: rows, validation, vocabularySizes }: ClickData,
  epochs: number,
  options: TrainingOptions,
): Promise<Trained> {
  const { seed, signal, clusterings } = options;
  const seeds = new Generator(seed);
  const [queries, candidates] = vocabularySizes.map((vocabularySize) =>
    makeTable(options.embedding(vocabularySize), {
      vocabularySize,
      dimensions: DIMENSIONS,
      seed: seeds.uint32(),
      runtime: defaultRuntime(),
    }),
  ) as [Tables['queries'], Tables['candidates']];
  const model = new MatrixFactorization({
    queryTable: queries,
    candidateTable: candidates,
    optimizer: new Adagrad({ learningRate: LEARNING_RATE }),
  });
  if (options.firstPointers === 'co-occurrence') await pointByCoOccurrence(queries, candidates, rows, { signal });
  if (options.firstPointers === 'als') await fitQuantizedAls(queries, candidates, rows, { ...ALS, signal });
  const trained = [...queries.trained(), ...candidates.trained()];
  // Quantization starts from the weights of full tables; those of compressed tables are not used again.
  const keep = queries.method === 'full';
  let best = { crossEntropy: Number.POSITIVE_INFINITY, auc: 0, epoch: 0, weights: [] as Float32Array[] };
  const history = await model.fit(rows, {
    epochs,
    batchSize: BATCH_SIZE,
    seed,
    validation,
    signal,
    ...(clusterings ? { clusterings } : {}),
    onCluster: ({ warning }) => warning && options.onWarning(warning),
    onEpochEnd: ({ epoch, validation: figures }) => {
      const { crossEntropy, auc = 0 } = figures!;
      if (crossEntropy < best.crossEntropy) best = { crossEntropy, auc, epoch, weights: keep ? copies(trained) : [] };
      options.onEpoch(epoch, epochs);
    },
  });
  best.weights.forEach((weights, i) => {
    trained[i]!.data.set(weights);
  });
  const records = history.flatMap((epoch) => epoch.clusterings);
  const clustering = records.reduce((sum, { seconds }) => sum + seconds, 0);
  const whole = history.reduce((sum, { seconds }) => sum + seconds, 0);
  return {
    tables: { queries, candidates },
    figures: { crossEntropy: best.crossEntropy, auc: best.auc },
    bestEpoch: best.epoch,
    secondsPerEpoch: (whole - clustering) / epochs,
    clusterings: records,
  };
}

function copies(matrices: readonly Matrix[]): Float32Array[] {
  return matrices.map(({ data }) => data.slice());
}

function evaluate({ queries, candidates }: Tables, validation: Clicks): { crossEntropy: number; auc: number } {
  const model = new MatrixFactorization({ queryTable: queries, candidateTable: candidates });
  const { crossEntropy, auc = 0 } = model.evaluate(validation);
  return { crossEntropy, auc };
}

/** Clicks of rated movies: users and movies are numbered in order of appearance in `users` and `movies`. */
export function clicksOfRatings(
  interactions: MovieLensRatings,
  users: readonly string[],
  movies: readonly string[],
): Pick<ClickData, 'train' | 'validation' | 'vocabularySizes'> {
  const userNumbers = new Map(users.map((id, number) => [id, number]));
  const movieNumbers = new Map(movies.map((id, number) => [id, number]));
  const { ratings, timestamps, userIds, movieIds } = interactions;
  const user = (row: number): number => userNumbers.get(userIds[row]!)!;
  const movie = (row: number): number => movieNumbers.get(movieIds[row]!)!;
  const rows = Array.from({ length: interactions.length }, (_, row) => row)
    .filter((row) => ratings[row] !== 3)
    .sort((a, b) => user(a) - user(b) || timestamps[a]! - timestamps[b]! || movie(a) - movie(b));
  const isLast = (i: number): boolean =>
    i + VALIDATION_ROWS >= rows.length || user(rows[i + VALIDATION_ROWS]!) !== user(rows[i]!);
  const take = (chosen: readonly number[]): Clicks => ({
    queries: Int32Array.from(chosen, user),
    candidates: Int32Array.from(chosen, movie),
    labels: Uint8Array.from(chosen, (row) => (ratings[row]! >= 4 ? 1 : 0)),
  });
  return {
    train: take(rows.filter((_, i) => !isLast(i))),
    validation: take(rows.filter((_, i) => isLast(i))),
    vocabularySizes: [users.length, movies.length],
  };
}

/** Synthetic clicks: users and items have groups, and the two groups decide whether a pair is a click. Trains in seconds. */
export function plantedClicks(seed: number): ClickData {
  const [users, items, groups, rows] = [400, 600, 8, 24_000];
  const generator = new Generator(seed).fork('planted');
  const tastes = Uint8Array.from({ length: groups * groups }, () => generator.below(2));
  const groupOfUser = Int32Array.from({ length: users }, () => generator.below(groups));
  const groupOfItem = Int32Array.from({ length: items }, () => generator.below(groups));
  const draw = (length: number): Clicks => {
    const queries = Int32Array.from({ length }, () => generator.below(users));
    const candidates = Int32Array.from({ length }, () => generator.below(items));
    const labels = Uint8Array.from(queries, (u, i) => tastes[groupOfUser[u]! * groups + groupOfItem[candidates[i]!]!]!);
    return { queries, candidates, labels };
  };
  const line = `planted: ${users} users, ${items} items, ${groups} groups each`;
  return { line, train: draw(rows), validation: draw(rows / 8), vocabularySizes: [users, items] };
}
