/**
 * New items: a tenth of the items of movielens-latest-small-2016 is held out of training, with all their interactions. Two towers
 * are fitted on the rest, the query over the items that a user chose before, the candidate over titles and genres alone. The
 * bundle is served, the new items are upserted as raw features, and the server is asked for the best of them for each user.
 *
 * Recall@10 is that of a user's likes among the new items. By chance it is 10 / new items.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readItems } from '@shortlist/data';
import { ShortlistServer } from '@shortlist/server';
import { createClient, type JsonQuery } from '@shortlist/server/client';
import { pino } from 'pino';
import { type Interactions, trainRecommender } from 'shortlist';
import { bootstrapMean } from 'shortlist/metrics';
import { saveBundle } from 'shortlist/node';
import { Generator } from 'shortlist/random';
import { type FeatureModelSpec, itemsByUser, listOf, takeInteractions } from 'shortlist/recommenders';
import { type Row, row } from '../harness/rows.ts';
import { movieLens } from '../recipes/datasets.ts';
import { K, shown } from './runs.ts';

/** The share of items that are new. */
const NEW_SHARE = 0.1;
/** The latest items of a history that a query names. */
const HISTORY = 50;
/** Recall at least this many times that of chance. */
const REQUIRED = 3;

const SPEC: FeatureModelSpec = {
  queryTower: { features: { history: { type: 'sequence', dimensions: 64, recencyDecay: 0.9, maxLength: HISTORY } } },
  candidateTower: {
    features: {
      title: { type: 'text', dimensions: 32, minCount: 2 },
      genres: { type: 'bag', dimensions: 32 },
    },
  },
  dimensions: 64,
  learningRate: 0.005,
};
/** Enough for all epochs of the search, so that their number does not depend on the machine. */
const BUDGET_SECONDS = 3600;

type RawItem = Readonly<Record<string, unknown>>;

/** The row of the table: the mean over users of the mean over seeds, each seed with its own new items. */
export async function newItemRows(data: string, seeds: number): Promise<Row[]> {
  const whole = await withItems(data);
  const byUser = new Map<string, number[]>();
  const runs: number[] = [];
  let chance = 0;
  for (let seed = 1; seed <= seeds; seed++) {
    const found = await newItemRun(whole, seed);
    for (const [user, recall] of found.recalls) byUser.set(user, [...(byUser.get(user) ?? []), recall]);
    const all = [...found.recalls.values()];
    runs.push(all.reduce((sum, recall) => sum + recall, 0) / all.length);
    chance += found.chance / seeds;
    console.error(
      `new items: seed ${seed}, ${found.epochs} epochs, recall ${runs.at(-1)!.toFixed(4)}, chance ${found.chance.toFixed(4)}`,
    );
  }
  const means = [...byUser.values()].map((all) => all.reduce((sum, recall) => sum + recall, 0) / all.length);
  const estimate = bootstrapMean(Float64Array.from(means));
  return [
    row({
      work: 'movielens-latest-small-2016, a tenth of the items new: recall@10 among them, upserted as raw features',
      ours: estimate.mean,
      peer: chance,
      unit: 'recall@10',
      required: { atLeast: Number((REQUIRED * chance).toFixed(4)) },
      qualityHolds: estimate.low >= REQUIRED * chance,
      quality: {
        interval: shown(estimate),
        'each seed': runs.map((recall) => recall.toFixed(4)).join(' '),
        users: means.length,
        peer: 'chance',
      },
    }),
  ];
}

interface Whole {
  readonly interactions: Interactions;
  /** By place in the vocabulary of items. */
  readonly items: readonly RawItem[];
}

async function withItems(data: string): Promise<Whole> {
  const { train, test } = movieLens(data);
  const length = train.length + test.length;
  const joined = <A extends Int32Array | Float64Array>(a: A, b: A, out: A): A => {
    out.set(a);
    out.set(b, a.length);
    return out;
  };
  const interactions: Interactions = {
    length,
    users: {
      codes: joined(train.users.codes, test.users.codes, new Int32Array(length)),
      vocabulary: train.users.vocabulary,
    },
    items: {
      codes: joined(train.items.codes, test.items.codes, new Int32Array(length)),
      vocabulary: train.items.vocabulary,
    },
    times: joined(train.times!, test.times!, new Float64Array(length)),
  };
  const { vocabulary } = interactions.items;
  const { items: table } = await readItems(join(data, 'movielens-latest-small-2016/movies.csv'), { known: vocabulary });
  const columns = ['title', 'genres'].map((name) => table.columns.find((column) => column.name === name)!);
  const items = vocabulary.map((item): RawItem => {
    const at = table.rows.get(item)!;
    const [title, genres] = columns.map(({ values }) => values[at]);
    return { title: title ?? '', genres: Array.isArray(genres) ? genres : [] };
  });
  return { interactions, items };
}

interface Run {
  readonly recalls: ReadonlyMap<string, number>;
  readonly chance: number;
  readonly epochs: number;
}

async function newItemRun({ interactions, items }: Whole, seed: number): Promise<Run> {
  const { users, items: itemColumn } = interactions;
  const { vocabulary } = itemColumn;
  const fresh = new Set(
    new Generator(seed)
      .fork('new items')
      .permutation(vocabulary.length)
      .subarray(0, Math.round(NEW_SHARE * vocabulary.length)),
  );
  const rowsOf = (isNew: boolean): Int32Array =>
    Int32Array.from(itemColumn.codes.keys()).filter((at) => fresh.has(itemColumn.codes[at]!) === isNew);
  const train = takeInteractions(interactions, rowsOf(false));
  const held = itemsByUser(takeInteractions(interactions, rowsOf(true)));
  const features = {
    spec: SPEC,
    itemFields: { title: items.map(({ title }) => title), genres: items.map(({ genres }) => genres) },
  };
  const trained = await trainRecommender(train, { model: 'features', features, seed, budgetSeconds: BUDGET_SECONDS });
  if (trained.model.kind !== 'features') throw new Error(`model: expected features, got ${trained.model.kind}`);
  const folder = mkdtempSync(join(tmpdir(), 'shortlist-new-items-'));
  // The server takes updates of a folder of versions.
  mkdirSync(join(folder, '1'));
  await saveBundle(join(folder, '1', 'model.shortlist'), {
    index: trained.index,
    candidateTower: trained.model.candidateTower,
  });
  const server = await ShortlistServer.start({
    models: [{ name: 'movies', path: folder, policy: { latest: 1 } }],
    httpPort: 0,
    grpcPort: 0,
    logger: pino({ level: 'silent' }),
  });
  try {
    const client = createClient({ url: `http://127.0.0.1:${server.httpPort}` });
    const identifiers = [...fresh].map((item) => vocabulary[item]!);
    await client.upsert([...fresh].map((item) => ({ id: vocabulary[item]!, features: items[item] as JsonQuery })));
    const histories = itemsByUser(train);
    const recalls = new Map<string, number>();
    for (const [user, name] of users.vocabulary.entries()) {
      const wanted = new Set(Array.from(listOf(held, user), (item) => vocabulary[item]!));
      const history = Array.from(listOf(histories, user).subarray(-HISTORY), (item) => vocabulary[item]!);
      if (wanted.size === 0 || history.length === 0) continue;
      const { results } = await client.shortlist({ query: { history }, k: K, include: identifiers });
      const hits = results.filter(({ id }) => wanted.has(String(id))).length;
      recalls.set(name, hits / Math.min(K, wanted.size));
    }
    return { recalls, chance: K / fresh.size, epochs: trained.settings.epochs! };
  } finally {
    await server.close();
    rmSync(folder, { recursive: true });
  }
}
