/**
 * Compares our implicit ALS with that of `implicit` (PyPI), with the same dimensions, iterations and weights: seconds of a fit,
 * and recall.
 */
import { join } from 'node:path';
import { BruteForce, type Interactions } from 'shortlist';
import { evaluateRecommender } from 'shortlist/metrics';
import { type AlsModel, fitAls, type InteractionSplit, type Recommender, ThroughIndex } from 'shortlist/recommenders';
import { readNpy, writeNpy } from '../harness/npy.ts';
import { missing, Peer } from '../harness/peer.ts';
import { type Row, row } from '../harness/rows.ts';

/** The settings with which the search begins on data of this kind. */
const SETTINGS = { dimensions: 64, iterations: 8, regularization: 0.003 } as const;

/** Fits of each: the faster counts, as the machine is shared. */
const ROUNDS = 2;

/** A split, and the names of its rows in the table. */
export interface AlsWork {
  readonly name: string;
  readonly split: InteractionSplit;
  readonly k: number;
  readonly unobservedWeight: number;
}

/** The rows of both, fitted in turns within one run, each at its faster time. `folder` takes the arrays that are exchanged. */
export async function alsRows({ name, split, k, unobservedWeight }: AlsWork, folder: string): Promise<Row[]> {
  const settings = { ...SETTINGS, unobservedWeight };
  const reason = missing('implicit');
  const peer = reason === null ? await ImplicitPeer.start(split.train, folder) : null;
  const seconds = { ours: Infinity, peer: Infinity };
  let model: AlsModel | undefined;
  for (let round = 0; round < ROUNDS; round++) {
    const start = performance.now();
    model = await fitAls(split.train, settings);
    seconds.ours = Math.min(seconds.ours, (performance.now() - start) / 1000);
    if (peer) seconds.peer = Math.min(seconds.peer, await peer.fit(settings));
  }
  const ours = recallOf(oursOf(model!, split.train), split, k);
  const theirs = peer && recallOf(await peer.recommender(split.test, k), split, k);
  await peer?.close();
  const work = `${name}: one fit of ALS, ${settings.dimensions} dimensions, ${settings.iterations} iterations`;
  const facts = {
    required: { none: true },
    quality: { peer: 'implicit', 'unobserved weight': unobservedWeight },
  } as const;
  return [
    row({ work, ours: seconds.ours, peer: reason ?? seconds.peer, unit: 's', ...facts }),
    row({ work: `${work}: recall`, ours, peer: theirs ?? reason, unit: `recall@${k}`, ...facts }),
  ];
}

function recallOf(recommender: Recommender, split: InteractionSplit, k: number): number {
  return evaluateRecommender(recommender, split, { ks: [k] }).metrics[0]!.recall.mean;
}

type Settings = typeof SETTINGS & { readonly unobservedWeight: number };

function oursOf({ queryModel, candidates, identifiers }: AlsModel, { users, items }: Interactions): Recommender {
  const index = new BruteForce<string, string>({ queryModel }).index(candidates, identifiers);
  return new ThroughIndex<string>({
    ...{ name: 'ALS', index, itemVocabulary: items.vocabulary },
    queryOf: (user) => users.vocabulary[user]!,
  });
}

/** The peer, with the interactions loaded. */
class ImplicitPeer {
  readonly #peer: Peer;
  readonly #train: Interactions;
  readonly #folder: string;

  private constructor(peer: Peer, train: Interactions, folder: string) {
    this.#peer = peer;
    this.#train = train;
    this.#folder = folder;
  }

  static async start(train: Interactions, folder: string): Promise<ImplicitPeer> {
    // implicit's own threads are faster if its BLAS has one thread, as its warning says.
    const peer = Peer.start('implicit', { OPENBLAS_NUM_THREADS: '1' })!;
    const started = new ImplicitPeer(peer, train, folder);
    const { users, items } = train;
    const files = { users: started.#write('users', users.codes), items: started.#write('items', items.codes) };
    await peer.request({ do: 'load', ...files, shape: [users.vocabulary.length, items.vocabulary.length] });
    return started;
  }

  /** Seconds of a fit. */
  fit(settings: Settings): Promise<number> {
    const regularization = constantRegularization(this.#train, settings);
    return this.#peer.requestNumber({ do: 'fit', ...settings, regularization }, 'seconds');
  }

  /** The lists of the users of a test part. */
  async recommender({ users }: Interactions, k: number): Promise<Recommender> {
    const asked = Int32Array.from(new Set(users.codes));
    const to = join(this.#folder, 'lists.npy');
    await this.#peer.request({ do: 'recommend', users: this.#write('asked', asked), k, to });
    const lists = readNpy(to).data as Int32Array;
    const rowOf = new Map(Array.from(asked, (user, i) => [user, i]));
    const listOf = (user: number): Int32Array => lists.subarray(k * rowOf.get(user)!, k * (rowOf.get(user)! + 1));
    return { name: 'implicit', recommend: (codes) => Array.from(codes, listOf) };
  }

  close(): Promise<void> {
    return this.#peer.close();
  }

  #write(name: string, codes: Int32Array): string {
    const path = join(this.#folder, `${name}.npy`);
    writeNpy(path, codes, [codes.length]);
    return path;
  }
}

/**
 * The same regularization for all rows that is ours on average, in the unit of implicit, whose unobserved weight is 1:
 * λ · mean(|I_u| + α |I|) / α over users and items.
 */
function constantRegularization({ users, items, length }: Interactions, settings: Settings): number {
  const { regularization, unobservedWeight } = settings;
  const [userCount, itemCount] = [users.vocabulary.length, items.vocabulary.length];
  const scales = 2 * length + 2 * unobservedWeight * userCount * itemCount;
  return (regularization * scales) / (userCount + itemCount) / unobservedWeight;
}
