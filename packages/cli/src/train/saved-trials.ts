/**
 * The file of the trials of a search, from which an interrupted search continues. It holds a digest of the interactions and
 * options, so that trials of other data or options are never used.
 */
import { createHash } from 'node:crypto';
import { readFile, rm } from 'node:fs/promises';
import type { ChosenModel, Interactions } from 'shortlist';
import { type FeatureModelData, MODEL_KINDS, type Trial } from 'shortlist/recommenders';
import { replaceText } from '../terminal/text-file.ts';

/** The options that must be the same for a search to continue from saved trials. */
export interface SearchIdentity {
  readonly model: string;
  readonly k: number;
  readonly seed: number;
  readonly only?: ChosenModel | undefined;
  readonly features?: FeatureModelData | undefined;
}

/** The trials of a search on disk. */
export class SavedTrials {
  readonly path: string;
  readonly #digest: string;

  constructor(path: string, interactions: Interactions, identity: SearchIdentity) {
    this.path = path;
    this.#digest = digestOf(interactions, identity);
  }

  /** The trials of an interrupted run with the same data and options; an empty list if there was none. */
  async read(): Promise<readonly Trial[]> {
    const text = await readFile(this.path, 'utf8').catch(() => undefined);
    if (text === undefined) return [];
    try {
      const { digest, trials } = JSON.parse(text) as { digest?: unknown; trials?: unknown };
      return digest === this.#digest && Array.isArray(trials) && trials.every(isTrial) ? trials : [];
    } catch {
      // The file is damaged, or another program wrote it: the search starts from the beginning.
      return [];
    }
  }

  /** Writes the trials. @throws {FileError} when the file cannot be written */
  write(trials: readonly Trial[]): Promise<void> {
    return replaceText(this.path, JSON.stringify({ digest: this.#digest, trials }));
  }

  /** Removes the file, after the output was written. */
  async remove(): Promise<void> {
    await rm(this.path, { force: true });
  }
}

function isTrial(value: unknown): value is Trial {
  const { model, settings, recall, perUser, seconds } = (value ?? {}) as Partial<Trial>;
  return (
    MODEL_KINDS.includes(model!) &&
    typeof settings === 'object' &&
    settings !== null &&
    Object.values(settings).every(Number.isFinite) &&
    Number.isFinite(recall) &&
    Number.isFinite(seconds) &&
    Array.isArray(perUser) &&
    perUser.every(Number.isFinite)
  );
}

function digestOf({ users, items, times, weights }: Interactions, identity: SearchIdentity): string {
  const hash = createHash('sha256').update(
    JSON.stringify(identity, (_, value) => (typeof value === 'bigint' ? `${value}n` : value)),
  );
  for (const { codes, vocabulary } of [users, items]) {
    hash.update(codes);
    // With the lengths, ["ab", "c"] and ["a", "bc"] have different digests.
    for (const word of vocabulary) hash.update(`${word.length}:${word}`);
  }
  for (const numbers of [times, weights]) if (numbers) hash.update(numbers);
  return hash.digest('hex');
}
