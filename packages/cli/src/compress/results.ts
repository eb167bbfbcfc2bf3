/**
 * The file of results: one JSON object a line. Each result is written at once, so that a stopped run can be continued. The
 * first line holds the settings, so that results of different settings are never mixed.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DataError } from 'shortlist';
import { inFolder } from '../terminal/made-folder.ts';
import { appendText, replaceText } from '../terminal/text-file.ts';
import type { Figures } from './experiment.ts';
import type { Job } from './plan.ts';

/** The result of a job. */
export interface Result extends Job {
  /** Trained float32 numbers of both tables; absent if the method cannot meet the budget. */
  parameters?: number;
  /** Bytes of both tables as saved, with pointers and hash coefficients. */
  bytes?: number;
  /** A description of the matrices of each of the two tables. */
  split?: string[];
  figures?: Figures;
  bestEpoch?: number;
  secondsPerEpoch?: number;
  clusterSeconds?: number;
  /** Smallest entropies of pointers and pairs of pointers after the last clustering, in bits. */
  h1?: number;
  h2?: number;
  /** The reason why the method cannot meet the budget; absent if it can. */
  refused?: string;
}

/** The settings that must agree for results to be comparable. */
export interface Settings {
  task: string;
  line: string;
  epochs: number;
  columns: number;
  /** The option --clusterings; absent if it was not given. */
  clusterings?: number;
}

/** A file of results. */
export class ResultsFile {
  readonly folder: string;
  readonly results: Result[];

  private constructor(folder: string, results: Result[]) {
    this.folder = folder;
    this.results = results;
  }

  /**
   * Open or begin the results of a run.
   *
   * @throws {DataError} when the folder holds results of other settings, or its file is damaged
   * @throws {FileError} when it cannot be written; then no new folder is left
   */
  static async open(folder: string, settings: Settings): Promise<ResultsFile> {
    return inFolder(folder, () => ResultsFile.#read(folder, settings));
  }

  static async #read(folder: string, settings: Settings): Promise<ResultsFile> {
    const path = join(folder, 'results.jsonl');
    const text = await readFile(path, 'utf8').catch((error: unknown) => {
      if ((error as { code?: string }).code === 'ENOENT') return '';
      throw error;
    });
    // A last line without a line feed is incomplete: the process ended while it was written.
    const [first, ...lines] = text.split('\n').slice(0, -1);
    const header = JSON.stringify(settings);
    if (first === undefined) {
      await replaceText(path, `${header}\n`);
      return new ResultsFile(folder, []);
    }
    if (first !== header) {
      throw new DataError(`${path}: expected results of ${header}, got those of ${first}; choose another --out`);
    }
    const results = lines.map((line, i) => readResult(line, `${path}:${i + 2}`));
    await replaceText(path, [header, ...lines].map((line) => `${line}\n`).join(''));
    return new ResultsFile(folder, results);
  }

  /** The result of a job; undefined if there is none yet. */
  find({ method, budget, seed }: Job): Result | undefined {
    return this.results.find((each) => each.method === method && each.budget === budget && each.seed === seed);
  }

  /** Append a result to the file. */
  async add(result: Result): Promise<void> {
    await appendText(join(this.folder, 'results.jsonl'), `${JSON.stringify(result)}\n`);
    this.results.push(result);
  }
}

function readResult(line: string, place: string): Result {
  try {
    return JSON.parse(line) as Result;
  } catch {
    throw new DataError(
      `${place}: expected a result as JSON, got other text; remove the line, and its job is done again`,
    );
  }
}
