/**
 * The trials of a search in a file beside the output, so that a search that was interrupted goes on from them. The file names
 * what it is of by a digest of interactions and options: trials of other data are never taken for these.
 */
import { createHash } from 'node:crypto';
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { type ChosenModel, FileError, type Interactions } from 'shortlist';
import type { Trial } from 'shortlist/recommenders';

/** The fingerprint by which a search decides whether it can continue from saved trials. */
export interface SearchIdentity {
  readonly model: string;
  readonly k: number;
  readonly seed: number;
  readonly only?: ChosenModel | undefined;
}

/** Trials on disk. */
export class SavedTrials {
  readonly path: string;
  readonly #digest: string;

  constructor(path: string, interactions: Interactions, identity: SearchIdentity) {
    this.path = path;
    this.#digest = digestOf(interactions, identity);
  }

  /** The trials of an interrupted run; none where there was none, or it was of other data or options. */
  async read(): Promise<readonly Trial[]> {
    const text = await readFile(this.path, 'utf8').catch(() => undefined);
    if (text === undefined) return [];
    try {
      const { digest, trials } = JSON.parse(text) as { digest?: unknown; trials?: unknown };
      return digest === this.#digest && Array.isArray(trials) && trials.every(isTrial) ? trials : [];
    } catch {
      // A file that is no JSON is not ours, or is damaged: the search begins anew.
      return [];
    }
  }

  /** @throws {FileError} when the system refuses */
  async write(trials: readonly Trial[]): Promise<void> {
    const beside = `${this.path}.writing`;
    try {
      await writeFile(beside, JSON.stringify({ digest: this.#digest, trials }));
      await rename(beside, this.path);
    } catch (error) {
      throw new FileError(`${this.path}: cannot be written: ${(error as Error).message}`, { cause: error });
    }
  }

  /** Once the output is there. */
  async remove(): Promise<void> {
    await rm(this.path, { force: true });
  }
}

function isTrial(value: unknown): value is Trial {
  const { model, settings, recall, perUser, seconds } = (value ?? {}) as Partial<Trial>;
  return (
    (model === 'als' || model === 'two-tower') &&
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
  const hash = createHash('sha256').update(JSON.stringify(identity));
  for (const { codes, vocabulary } of [users, items]) {
    hash.update(codes);
    // Lengths part the words: ["ab", "c"] is not ["a", "bc"].
    for (const word of vocabulary) hash.update(`${word.length}:${word}`);
  }
  for (const numbers of [times, weights]) if (numbers) hash.update(numbers);
  return hash.digest('hex');
}
