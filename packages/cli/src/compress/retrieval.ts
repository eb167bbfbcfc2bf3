/**
 * The retrieval task: two tables trained with the in-batch softmax. Metrics are recall@20 and nDCG@20 of each user's test
 * items, among all items that are not in the user's training part, as in LightGCN's protocol for Gowalla.
 */
import { readFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import {
  BruteForce,
  DataError,
  defaultRuntime,
  type RetrievalDataset,
  StringLookup,
  Tower,
  TwoTowerModel,
} from 'shortlist';
import { type CoOccurrences, type EmbeddingTable, fitQuantizedAls, pointByCoOccurrence } from 'shortlist/embeddings';
import { type EvaluatedUser, evaluatePerUser } from 'shortlist/metrics';
import { Generator } from 'shortlist/random';
import { Adagrad, type ClusterRecord } from 'shortlist/training';
import type { Experiment, Figures, Tables, Trained, TrainingOptions } from './experiment.ts';

const DIMENSIONS = 32;
const BATCH_SIZE = 2048;
/** Chosen, together with the number of epochs, for the full table on the validation part. */
const LEARNING_RATE = 0.1;
/** Chosen on the validation part of Gowalla (docs/decisions/quantized-als.md). */
const ALS = { sweeps: 4, unobservedWeight: 0.01, regularization: 0.006 } as const;
const K = 20;

/** Interactions as a list of items for each user. */
export interface RetrievalData {
  line: string;
  users: readonly string[];
  items: readonly string[];
  /** [users] the items of each user, as positions in `items`. */
  train: readonly (readonly number[])[];
  test: readonly (readonly number[])[];
}

/** The retrieval task on some data. */
export function retrievalExperiment(data: RetrievalData, epochs: number): Experiment {
  const { users, items } = data;
  return {
    name: 'retrieval',
    line: data.line,
    figures: [`recall@${K}`, `ndcg@${K}`],
    isLowerBetter: false,
    dimensions: DIMENSIONS,
    // One more row in each table, for words outside the vocabulary.
    vocabularySizes: [users.length + 1, items.length + 1],
    train: (options) => train(data, epochs, options),
    evaluate: ({ queries, candidates }) => evaluate(data, towerOf(users, queries), towerOf(items, candidates)),
  };
}

async function train(data: RetrievalData, epochs: number, options: TrainingOptions): Promise<Trained> {
  const { seed, signal, clusterings } = options;
  const { users, items } = data;
  const seeds = new Generator(seed);
  const make = (vocabulary: readonly string[]): Tower =>
    Tower.create({
      vocabulary,
      dimensions: DIMENSIONS,
      seed: seeds.uint32(),
      embedding: options.embedding(vocabulary.length + 1),
    });
  const [queryTower, candidateTower] = [make(users), make(items)];
  const tables = { queries: queryTower.inputs[0]!.table, candidates: candidateTower.inputs[0]!.table };
  if (options.firstPointers === 'als') return trainByAls(data, tables, options);
  if (options.firstPointers === 'co-occurrence') {
    await pointByCoOccurrence(tables.queries, tables.candidates, coOccurrences(data), { signal });
  }
  const model = new TwoTowerModel({
    queryTower,
    candidateTower,
    optimizer: new Adagrad({ learningRate: LEARNING_RATE }),
  });
  const records: ClusterRecord[] = [];
  const { epochs: history } = await model.fit(interactions(data, seed), {
    epochs,
    batchSize: BATCH_SIZE,
    // All methods are compared with the same plain in-batch softmax.
    samplingCorrection: false,
    seed,
    signal,
    ...(clusterings ? { clusterings } : {}),
    onCluster: (record) => {
      records.push(record);
      if (record.warning) options.onWarning(record.warning);
    },
    onEpochEnd: ({ epoch }) => options.onEpoch(epoch, epochs),
  });
  const clustering = records.reduce((sum, { seconds }) => sum + seconds, 0);
  const whole = history.reduce((sum, { seconds }) => sum + seconds, 0);
  return {
    tables,
    figures: evaluate(data, queryTower, candidateTower),
    // No epoch is chosen by the test part: the last one counts.
    bestEpoch: epochs,
    secondsPerEpoch: (whole - clustering) / epochs,
    clusterings: records,
  };
}

/** Tables that quantized ALS fits alone: epochs of the softmax after it made recall lower. */
async function trainByAls(data: RetrievalData, tables: Tables, options: TrainingOptions): Promise<Trained> {
  const { signal, onEpoch } = options;
  const began = performance.now();
  const onProgress = (share: number): void => onEpoch(share, 1);
  await fitQuantizedAls(tables.queries, tables.candidates, coOccurrences(data), { ...ALS, signal, onProgress });
  const seconds = (performance.now() - began) / 1000;
  const { users, items } = data;
  const figures = evaluate(data, towerOf(users, tables.queries), towerOf(items, tables.candidates));
  return { tables, figures, bestEpoch: ALS.sweeps, secondsPerEpoch: seconds / ALS.sweeps, clusterings: [] };
}

/** Pairs of rows of the two tables. Row 0 is for unknown words, so that user u has row u + 1. */
function coOccurrences({ train: lists }: RetrievalData): CoOccurrences {
  return {
    queries: Int32Array.from(lists.flatMap((list, user) => list.map(() => user + 1))),
    candidates: Int32Array.from(lists.flatMap((list) => list.map((item) => item + 1))),
  };
}

/**
 * The training rows, shuffled, because a batch with the items of one user would use that user's items as negatives; and
 * for each row the probability that its item is in a batch, for which the loss corrects: without the correction recall@20
 * of the full table fell from 0.17 to 0.12 on the validation part.
 */
function interactions({ users, items, train: lists }: RetrievalData, seed: number): RetrievalDataset<string, string> {
  const pairs = lists.flatMap((list, user) => list.map((item) => [user, item] as const));
  const order = new Generator(seed).fork('rows').permutation(pairs.length);
  const counts = new Float64Array(items.length);
  for (const [, item] of pairs) counts[item]!++;
  const probability = (item: number): number => Math.min(1, (counts[item]! * BATCH_SIZE) / pairs.length);
  return {
    queries: Array.from(order, (row) => users[pairs[row]![0]]!),
    candidates: Array.from(order, (row) => items[pairs[row]![1]]!),
    candidateSamplingProbability: Float64Array.from(order, (row) => probability(pairs[row]![1])),
  };
}

function evaluate(
  { users, items, train: known, test }: RetrievalData,
  queryTower: Tower,
  candidateTower: Tower,
): Figures {
  const index = new BruteForce<string, number>({ queryModel: queryTower }).index(
    candidateTower.embed(items),
    Array.from(items, (_, number) => number),
  );
  const testUsers = users.map(
    (query, user): EvaluatedUser<string, number> => ({
      query,
      positives: test[user]!,
      known: known[user]!,
    }),
  );
  const [metrics] = evaluatePerUser(index, testUsers, { ks: [K] }).metrics;
  return { [`recall@${K}`]: metrics?.recall ?? 0, [`ndcg@${K}`]: metrics?.ndcg ?? 0 };
}

function towerOf(words: readonly string[], table: EmbeddingTable): Tower {
  const lookup = new StringLookup({ vocabulary: words });
  return new Tower([{ name: '', lookup, table }], [], false, defaultRuntime());
}

/**
 * Reads train.txt and test.txt of a folder, and valid.txt if there is one, which is added to the training part. Each line
 * is a user and the user's items, as numbers from 0.
 */
export async function readLists(folder: string): Promise<RetrievalData> {
  const read = async (name: string): Promise<number[][]> => {
    const text = await readFile(join(folder, name), 'utf8');
    const lists: number[][] = [];
    text.split('\n').forEach((line, i) => {
      if (line.trim() === '') return;
      const [user, ...list] = line.trim().split(/\s+/).map(Number) as [number, ...number[]];
      if (![user, ...list].every((number) => Number.isSafeInteger(number) && number >= 0)) {
        throw new DataError(`${name}, line ${i + 1}: expected a user and items, numbers from 0`);
      }
      lists[user] = list;
    });
    return lists;
  };
  const missing = (error: unknown): number[][] => {
    if ((error as { code?: string }).code === 'ENOENT') return [];
    throw error;
  };
  const [train, valid, test] = [
    await read('train.txt'),
    await read('valid.txt').catch(missing),
    await read('test.txt'),
  ];
  const users = Math.max(train.length, valid.length, test.length);
  const whole = Array.from({ length: users }, (_, user) => [...(train[user] ?? []), ...(valid[user] ?? [])]);
  const tests = Array.from({ length: users }, (_, user) => test[user] ?? []);
  const most = [...whole, ...tests].reduce((max, list) => list.reduce((a, b) => Math.max(a, b), max), -1);
  const rows = whole.reduce((sum, { length }) => sum + length, 0);
  const line = `${basename(resolve(folder))}: ${users} users, ${most + 1} items, ${rows} interactions to train on`;
  const words = (length: number): string[] => Array.from({ length }, (_, number) => String(number));
  return { line, users: words(users), items: words(most + 1), train: whole, test: tests };
}
