/** The bundle of a training: an index of the fitted model, the seen items, and a record of the training as metadata. */
import type { ItemTable } from '@shortlist/data';
import {
  type BundleContents,
  type Features,
  type FittedRecommender,
  type Interactions,
  SeenItems,
  type SeenItemsOptions,
} from 'shortlist';
import type { JsonObject, SavableIndex } from 'shortlist/format';
import { type FittedModel, HISTORY_FIELD, itemsByUser, listOf, USER_FIELD } from 'shortlist/recommenders';
import { attributeMetadata } from '../input/attributes.ts';
import type { Environment, Terminal } from '../terminal/terminal.ts';
import { tunedIndex } from '../vector-index/tuned-index.ts';
import type { IndexEvent } from './events.ts';

/**
 * Candidates × dimensions up to which the index is exact. Such a scan takes about a tenth of a millisecond, no longer than the
 * rest of a request, so that an approximate index would lose recall and gain nothing.
 */
const EXACT_NUMBERS_MAX = 2 ** 21;
/** Users with whose queries an approximate index is tuned. */
const TUNING_USERS = 500;

/** Options of the index. */
export interface IndexOptions {
  readonly k: number;
  readonly seed: number;
  /** The share of the exact best k that an approximate index must find. */
  readonly targetRecall: number;
  /** The interactions whose users are queries for the tuning. */
  readonly interactions: Interactions;
}

/** An index, and the event that reports it. */
export interface ServedIndex {
  readonly index: SavableIndex<Features, string>;
  readonly event: IndexEvent;
}

/** The exact index of the fitted model or, if that is large, a tuned ScaNN index. @throws {AbortedError} when the signal is raised */
export async function servedIndex(
  { index: exact, model, queryOf }: FittedRecommender,
  { k, seed, targetRecall, interactions }: IndexOptions,
  environment: Environment,
  terminal: Terminal,
): Promise<ServedIndex> {
  const { size: candidates, dimensions } = exact;
  const facts = { event: 'index', candidates, dimensions, k } as const;
  if (candidates * dimensions <= EXACT_NUMBERS_MAX) {
    return { index: exact, event: { ...facts, kind: 'brute-force', recall: 1 } };
  }
  const held = exact.identifiers!;
  const identifiers = Array.from({ length: candidates }, (_, row) => held.of(row));
  const vectors = model.kind === 'als' ? model.candidates : exact.candidateVectors(identifiers);
  const queries = exampleQueries(queryOf, interactions, TUNING_USERS);
  const settings = { queryModel: exact.queryModel, queries, distanceMeasure: 'dot_product', k, seed } as const;
  const { index, recall } = await tunedIndex<Features>(
    { rows: candidates, dimensions, data: vectors.data, identifiers },
    { ...settings, targetRecall },
    environment,
    terminal,
  );
  return { index, event: { ...facts, kind: 'scann', recall } };
}

/** The contents of a bundle other than model and index. */
export interface BundleFacts {
  readonly items: ItemTable | undefined;
  /** The items that each user has seen. */
  readonly seen: Interactions;
  /** The training record. */
  readonly training: JsonObject;
}

/** The contents of the bundle to save. */
export function bundleContents(
  { model }: FittedRecommender,
  index: SavableIndex<Features, string>,
  { items, seen, training }: BundleFacts,
): BundleContents<Features, string> {
  const { identifiers: held } = index as { identifiers?: { of(row: number): string } };
  const identifiers = Array.from({ length: index.size }, (_, row) => held!.of(row));
  const metadata: JsonObject = { ...(items && attributeMetadata(items, identifiers)), training };
  const candidateTower = model.kind === 'als' ? undefined : model.candidateTower;
  return { index, candidateTower, seenItems: SeenItems.fromInteractions(seen, seenOptions(model)), metadata };
}

/** The options of seen items, which a server uses: they are the query of a history tower. */
function seenOptions(model: FittedModel): SeenItemsOptions {
  if (model.kind === 'history') return { seenAsHistory: 'always' };
  if (model.kind !== 'features') return {};
  const { fields } = model.queryTower.features!;
  // The weighted mean of candidates, of which other models make the query of an unknown user, is no query of these towers.
  const seenAsHistory = fields.includes(HISTORY_FIELD) ? 'never' : 'unknown-users';
  return { seenAsHistory, ...(fields.includes(USER_FIELD) && { userFeature: USER_FIELD }) };
}

/** The queries of users, at most `count` of them. */
export function exampleQueries(
  queryOf: FittedRecommender['queryOf'],
  { users, items, ...rest }: Interactions,
  count: number,
): Features[] {
  const lists = itemsByUser({ users, items, ...rest });
  const step = Math.max(1, Math.floor(users.vocabulary.length / count));
  const chosen = [...users.vocabulary.keys()].filter((user) => user % step === 0).slice(0, count);
  return chosen.map((user) =>
    queryOf(
      user,
      Array.from(listOf(lists, user), (item) => items.vocabulary[item]!),
    ),
  );
}
