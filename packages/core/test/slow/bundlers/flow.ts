/**
 * A program without Node: train, index, query, update, save, load and query again. It gives the same result everywhere.
 */
import {
  BruteForce,
  bundleFromBytes,
  bundleToBytes,
  defaultRuntime,
  type Hit,
  ScaNN,
  StringLookup,
  Tower,
  TwoTowerModel,
} from 'shortlist';

/** The results, in a form that JSON can hold. */
export interface FlowResult {
  losses: number[];
  exact: Hit<string>[];
  approximate: Hit<string>[];
  /** The best candidate of a query after one was upserted for it. */
  added: string;
  /** Whether what was loaded gives the same hits, by the index of its kind. */
  isSameLoaded: boolean[];
  /** Threads that helped in the end, the caller among them. */
  threads: number;
}

const USERS = 64;
const ITEMS = 600;

/** Train, index, query, update, save, load and query again. */
export async function flow(): Promise<FlowResult> {
  const queries = Array.from({ length: 4_000 }, (_, i) => `u${(i * 7) % USERS}`);
  const candidates = queries.map((user, i) => `ü${(Number(user.slice(1)) * 9 + (i % 5)) % ITEMS}`);
  const items = Array.from({ length: ITEMS }, (_, i) => `ü${i}`);
  const tower = (words: string[]): Tower =>
    Tower.create({ vocabulary: StringLookup.adapt(words).vocabulary, dimensions: 16 });
  const [queryModel, candidateTower] = [tower(queries), tower(items)];
  const model = new TwoTowerModel({ queryTower: queryModel, candidateTower });
  const { epochs } = await model.fit({ queries, candidates }, { epochs: 2, batchSize: 500 });
  const { pool } = defaultRuntime();
  // A thread starts at its own time; the last queries are answered by all of them.
  while (pool.threadsReady < pool.threads) await new Promise((resolve) => setTimeout(resolve, 5));

  const embeddings = candidateTower.embed(items);
  const exact = new BruteForce<string, string>({ queryModel }).index(embeddings, items);
  const approximate = new ScaNN<string, string>({ queryModel, numLeaves: 8, numLeavesToSearch: 6 });
  approximate.index(embeddings, items);
  approximate.upsert(['new'], [queryModel.embed(['u3']).data.slice()]);
  const added = (await approximate.callAsync('u3', 3)).identifiers()[0]!;
  const isSameLoaded: boolean[] = [];
  for (const index of [exact, approximate]) {
    const bytes = await new Blob([bundleToBytes({ index, candidateTower }) as BlobPart]).arrayBuffer();
    const loaded = await bundleFromBytes<string, string>(new Uint8Array(bytes));
    isSameLoaded.push(JSON.stringify(loaded.index.call('u5', 9).hits()) === JSON.stringify(index.call('u5', 9).hits()));
  }
  return {
    losses: epochs.map(({ perExample }) => perExample),
    exact: exact.call('u5', 5).hits(),
    approximate: approximate.call('u5', 5).hits(),
    added,
    isSameLoaded,
    threads: pool.threadsReady,
  };
}
