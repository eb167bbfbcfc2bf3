/** The bundle of a training: an index of the fitted model, the seen items, and a record of the training as metadata. */
import type { ItemTable } from '@shortlist/data';
import { type BundleContents, type FittedRecommender, type Interactions, SeenItems } from 'shortlist';
import type { JsonObject, SavableIndex } from 'shortlist/format';
import { attributeMetadata } from '../input/attributes.ts';
import type { Environment, Terminal } from '../terminal/terminal.ts';
import { tunedIndex } from '../vector-index/tuned-index.ts';
import type { IndexEvent } from './events.ts';

/**
 * Numbers of all candidates up to which an exact scan takes about a tenth of a millisecond, as little as the request around it:
 * an approximate index would only lose candidates.
 */
const EXACT_NUMBERS_MAX = 2 ** 21;
/** Users that an approximate index is tuned by. */
const TUNING_USERS = 500;

/** The input of the build of an index. */
export interface IndexOptions {
  readonly k: number;
  readonly seed: number;
  /** Of the exact best k, where the index is approximate. */
  readonly targetRecall: number;
  /** Users to tune by. */
  readonly users: readonly string[];
}

/** An index, and what is told of it. */
export interface ServedIndex {
  readonly index: SavableIndex<string, string>;
  readonly event: IndexEvent;
}

/** The exact index that the fit made, or where it is large a tuned one. @throws {AbortedError} when the signal is raised */
export async function servedIndex(
  { index: exact, model }: FittedRecommender,
  { k, seed, targetRecall, users }: IndexOptions,
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
  const vectors = model.kind === 'als' ? model.candidates : model.candidateTower.embed(identifiers);
  const step = Math.max(1, Math.floor(users.length / TUNING_USERS));
  const queries = users.filter((_, i) => i % step === 0).slice(0, TUNING_USERS);
  const settings = { queryModel: exact.queryModel, queries, distanceMeasure: 'dot_product', k, seed } as const;
  const { index, recall } = await tunedIndex<string>(
    { rows: candidates, dimensions, data: vectors.data, identifiers },
    { ...settings, targetRecall },
    environment,
    terminal,
  );
  return { index, event: { ...facts, kind: 'scann', recall } };
}

/** The contents of a bundle beside model and index. */
export interface BundleFacts {
  readonly items: ItemTable | undefined;
  /** Rows of which every item is left out of its user's shortlists. */
  readonly seen: Interactions;
  /** The record of its training. */
  readonly training: JsonObject;
}

/** The bundle as it is saved. */
export function bundleContents(
  { model }: FittedRecommender,
  index: SavableIndex<string, string>,
  { items, seen, training }: BundleFacts,
): BundleContents<string, string> {
  const { identifiers: held } = index as { identifiers?: { of(row: number): string } };
  const identifiers = Array.from({ length: index.size }, (_, row) => held!.of(row));
  const metadata: JsonObject = { ...(items && attributeMetadata(items, identifiers)), training };
  const candidateTower = model.kind === 'two-tower' ? model.candidateTower : undefined;
  return { index, candidateTower, seenItems: SeenItems.fromInteractions(seen), metadata };
}
