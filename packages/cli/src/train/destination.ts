/**
 * The destination of `shortlist train`: a bundle file, or the next version in a folder that a server watches. A version that
 * is worse than the newest one is not written.
 */
import { stat } from 'node:fs/promises';
import { basename, extname } from 'node:path';
import { DataError, FileError } from 'shortlist';
import { estimate } from '../evaluate/show.ts';
import { openBundle } from '../input/bundle.ts';
import { newestVersion, publishVersion } from '../input/versions.ts';
import { checkOutput } from '../terminal/arguments.ts';
import type { EvaluatedEvent } from './events.ts';
import type { SplitWay } from './split.ts';
import { readTrainingRecord, type TrainingRecord } from './training-record.ts';

/** The newest version of a folder, and the training record in its bundle. */
interface NewestVersion {
  readonly version: number;
  readonly record: TrainingRecord | undefined;
}

/** The output path of a training. */
export class Destination {
  /** The given path without a slash at its end. */
  readonly path: string;
  readonly isFolder: boolean;
  readonly #newest: NewestVersion | undefined;

  private constructor(path: string, isFolder: boolean, newest: NewestVersion | undefined) {
    this.path = path;
    this.isFolder = isFolder;
    this.#newest = newest;
  }

  /**
   * Checks a path before any work. An existing folder, or a name without an ending, is a folder of versions.
   *
   * @throws {FileError} when a file exists and may not be replaced, or its folder does not exist
   */
  static async at(out: string, isForced: boolean): Promise<Destination> {
    const path = out.replace(/(?<=.)\/+$/, '');
    const found = await stat(path).catch(() => undefined);
    const isFolder = found ? found.isDirectory() : path !== out || extname(basename(path)) === '';
    if (!isFolder && path !== out) throw new FileError(`${out}: expected a folder, got a file`);
    // In an existing folder nothing is replaced: it gets another version.
    if (!isFolder || !found) checkOutput(path, isForced);
    const newest = isFolder ? await newestVersion(path) : undefined;
    if (newest === undefined) return new Destination(path, isFolder, undefined);
    const record = readTrainingRecord((await openBundle(newest.bundle)).metadata);
    return new Destination(path, isFolder, { version: newest.version, record });
  }

  /**
   * Compares a model with the newest version, and returns lines for the user; none if there is no version.
   *
   * @throws {DataError} when the model is worse by more than the interval and `isForced` is false
   */
  compare({ k, model }: EvaluatedEvent, split: SplitWay, isForced: boolean, trialsPath: string): string[] {
    if (this.#newest === undefined) return [];
    const { version, record } = this.#newest;
    const name = `version ${version} of ${this.path}`;
    const recall = model.metrics[0]?.recall;
    if (record === undefined || recall === undefined)
      return [`${name} has no evaluation, so it is not compared with the new model`];
    if (record.test.k !== k)
      return [`${name} was evaluated by recall@${record.test.k}, so it is not compared with the new model`];
    if ((record.test.split ?? 'leave-last-out') !== split)
      return [`${name} was evaluated with another --split, so it is not compared with the new model`];
    const before = record.test.recall;
    const halves = [recall, before].map(({ low, high }) => (high - low) / 2);
    // The samples of users are independent, so that the squares of their errors add up.
    const margin = Math.hypot(...halves);
    const [now, then] = [`recall@${k} ${estimate(recall)}`, `${estimate(before)} of ${name}`];
    if (recall.mean >= before.mean - margin)
      return [`${now}, compared with ${then}: not worse by more than ${margin.toFixed(4)}, the error of both`];
    const finding = `${now} is below the ${then} by more than ${margin.toFixed(4)}, the error of both`;
    if (isForced) return [`${finding}; published because of --force`];
    throw new DataError(
      `not published: ${finding}; the same command with --force publishes it, without repeating the trials (${trialsPath})`,
    );
  }

  /** Writes the bundle, and returns its path. If this fails, no incomplete file is left. */
  async write(save: (path: string) => Promise<void>): Promise<string> {
    if (!this.isFolder) {
      await save(this.path);
      return this.path;
    }
    return (await publishVersion(this.path, save)).bundle;
  }
}
