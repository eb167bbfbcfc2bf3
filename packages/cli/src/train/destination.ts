/**
 * The destination of `shortlist train`: a bundle file, or the next version of a folder that a server watches. What is worse than the
 * version that serves is not published.
 */
import { stat } from 'node:fs/promises';
import { basename, extname } from 'node:path';
import { DataError, FileError } from 'shortlist';
import { estimate } from '../evaluate/show.ts';
import { openBundle } from '../input/bundle.ts';
import { newestVersion, publishVersion } from '../input/versions.ts';
import { checkOutput } from '../terminal/arguments.ts';
import type { EvaluatedEvent } from './events.ts';
import { readTrainingRecord, type TrainingRecord } from './training-record.ts';

/** The version that serves, as far as its bundle says how it was judged. */
interface Served {
  readonly version: number;
  readonly record: TrainingRecord | undefined;
}

/** The destination of the output. */
export class Destination {
  /** As it was asked for, without a slash at its end. */
  readonly path: string;
  readonly isFolder: boolean;
  readonly #served: Served | undefined;

  private constructor(path: string, isFolder: boolean, served: Served | undefined) {
    this.path = path;
    this.isFolder = isFolder;
    this.#served = served;
  }

  /**
   * Looks at a path before any work: an existing folder, or a name without an ending, is a folder of versions.
   *
   * @throws {FileError} when a file exists and may not be replaced, or the folder that it would be in is not there
   */
  static async at(out: string, isForced: boolean): Promise<Destination> {
    const path = out.replace(/(?<=.)\/+$/, '');
    const found = await stat(path).catch(() => undefined);
    const isFolder = found ? found.isDirectory() : path !== out || extname(basename(path)) === '';
    if (!isFolder && path !== out) throw new FileError(`${out}: expected a folder, got a file`);
    // A folder that exists gets one more version: nothing is replaced.
    if (!isFolder || !found) checkOutput(path, isForced);
    const newest = isFolder ? await newestVersion(path) : undefined;
    if (newest === undefined) return new Destination(path, isFolder, undefined);
    const record = readTrainingRecord((await openBundle(newest.bundle)).metadata);
    return new Destination(path, isFolder, { version: newest.version, record });
  }

  /**
   * The lines about the version that serves; empty where there is none.
   *
   * @throws {DataError} when the new model is worse than it by more than the interval, and this is not forced
   */
  compare({ k, model }: EvaluatedEvent, isForced: boolean, trialsPath: string): string[] {
    if (this.#served === undefined) return [];
    const { version, record } = this.#served;
    const name = `version ${version} of ${this.path}`;
    const recall = model.metrics[0]?.recall;
    if (record === undefined || recall === undefined)
      return [`${name} does not say how it was judged: nothing to compare`];
    if (record.test.k !== k) return [`${name} was judged by recall@${record.test.k}: nothing to compare`];
    const before = record.test.recall;
    const halves = [recall, before].map(({ low, high }) => (high - low) / 2);
    // Two independent samples of users: their errors add as squares.
    const reach = Math.hypot(...halves);
    const [now, then] = [`recall@${k} ${estimate(recall)}`, `${estimate(before)} of ${name}`];
    if (recall.mean >= before.mean - reach)
      return [`${now}, beside ${then}: not worse by more than ${reach.toFixed(4)}`];
    const told = `${now} is below the ${then} by more than the interval of ${reach.toFixed(4)}`;
    if (isForced) return [`${told}; published all the same (--force)`];
    throw new DataError(`not published: ${told}; --force publishes it, from the trials in ${trialsPath}`);
  }

  /** Writes the bundle whole, or not at all; returns the path of the bundle. */
  async write(save: (path: string) => Promise<void>): Promise<string> {
    if (!this.isFolder) {
      await save(this.path);
      return this.path;
    }
    return (await publishVersion(this.path, save)).bundle;
  }
}
