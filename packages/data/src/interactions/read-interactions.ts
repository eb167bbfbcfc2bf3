/**
 * Reads interactions from files: recognises the format and the columns, reads the rows and measures their quality.
 *
 * Several files are read as one set, in their order, with common vocabularies. The columns of each file are recognised
 * separately.
 */
import { realpath } from 'node:fs/promises';
import { DataError } from 'shortlist';
import {
  BOOLEAN,
  checkArgument,
  FUNCTION,
  type OptionType,
  objectWith,
  optionsCheck,
  optionType,
  SIGNAL,
  STRING,
  WORDS,
} from 'shortlist/options';
import { BROKEN_ROWS_SHOWN, type BrokenRow, ReadLog } from '../bytes/read-log.ts';
import { type ColumnProfile, profileTable } from '../inference/column-profile.ts';
import { parseLike } from '../inference/like.ts';
import { isRating, ROLE_OPTIONS, type RoleOptions, type Roles, rolesOf, unfitColumns } from '../inference/roles.ts';
import { TABLE_OPTIONS, type Table, type TableOptions } from '../tables/contract.ts';
import { openFile } from '../tables/open-table.ts';
import { InteractionTable } from './interaction-table.ts';
import { type InteractionQuality, measureQuality } from './quality.ts';
import { columnsOf, type RowCounts, type RowPlan, RowReader } from './row-reader.ts';

/** Options of reading interactions. */
export interface ReadInteractionsOptions extends TableOptions, RoleOptions {
  /**
   * The condition of a like, such as `rating >= 4`; only such rows are read. Without it all rows are read, and `inferred.like`
   * is the inferred condition.
   */
  readonly like?: string | undefined;
  /** True to throw at the first broken row; false to leave broken rows out and count them. Default false. */
  readonly strict?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Called with the progress after each batch. */
  readonly onProgress?: ((progress: IngestProgress) => void) | undefined;
}

/** The progress of reading. */
export interface IngestProgress {
  readonly path: string;
  readonly bytesRead: number;
  readonly sizeBytes: number;
  readonly rows: number;
}

/** The format that was recognised or set for a file. */
export interface InferredFile {
  readonly path: string;
  readonly description: string;
  readonly columns: readonly ColumnProfile[];
  readonly roles: Roles;
}

/** A report of a reading: the format and columns that were recognised, and the counts of rows. */
export interface InferredColumns {
  readonly files: readonly InferredFile[];
  /** `explicit` if values such as ratings tell how much a user liked an item; `implicit` if every row is a sign of interest. */
  readonly feedback: 'explicit' | 'implicit';
  /** The condition of a like: the one of the options, or the inferred one for explicit feedback. */
  readonly like?: string | undefined;
  /** True if `like` was inferred; then all rows were read. */
  readonly isLikeProposed: boolean;
  /** The lowest value of a like, if `like` was inferred. */
  readonly proposedLeast?: number | undefined;
  readonly counts: RowCounts;
  /** Notes on guesses, replaced values and skipped rows. */
  readonly notes: readonly string[];
}

/** Interactions, with the recognised columns and the quality of the data. */
export interface ReadInteractions {
  readonly table: InteractionTable;
  readonly inferred: InferredColumns;
  readonly quality: InteractionQuality;
}

const checkOptions = optionsCheck<ReadInteractionsOptions>('readInteractions', {
  ...TABLE_OPTIONS,
  ...ROLE_OPTIONS,
  like: STRING,
  strict: BOOLEAN,
  signal: SIGNAL,
  onProgress: FUNCTION,
});
/** The type of an argument that is a result of `readInteractions`. */
export const READ: OptionType = objectWith('interactions that were read', 'table', 'inferred', 'quality');
const PATHS = optionType('a path or a list of paths', (value) => STRING.accepts(value) || WORDS.accepts(value));
/** Added to the positions in each further file of sequences, so that they are later; no user has so many items. */
const SEQUENCE_STEP = 2 ** 24;
/** The share of the largest value from which a value is a like: four of five stars, eight of ten points. */
const LIKE_SHARE = 0.8;

/**
 * Reads interactions.
 *
 * @param paths one file, or several files of one set
 * @throws {FileError} when a file cannot be read
 * @throws {DataError} when a file is damaged or has no column of users or items, or at the first broken row if `strict` is true
 * @throws {OptionError} when an option is unknown or names a column that does not exist
 * @throws {AbortedError} when the signal is raised
 */
export async function readInteractions(
  paths: string | readonly string[],
  options: ReadInteractionsOptions = {},
): Promise<ReadInteractions> {
  checkArgument('paths', paths, PATHS);
  checkOptions(options);
  const table = new InteractionTable();
  const counts: RowCounts = { rows: 0, liked: 0, trimmed: 0, timeUnits: new Map() };
  const files: InferredFile[] = [];
  const logs: ReadLog[] = [];
  const given = typeof paths === 'string' ? [paths] : paths;
  await refuseRepeated(given);
  for (const path of given) {
    const source = await openFile(path, options);
    const { columns } = await profileTable(source);
    const isSequences = source.format === 'sequences';
    // The only time in a sequence is the position in its line.
    const timeColumn = options.timeColumn ?? (isSequences ? 'position' : undefined);
    const roles = rolesOf(path, columns, source.hasNames, { ...options, timeColumn });
    checkSameColumns(files[0], roles, path);
    files.push({ path, description: source.description, columns, roles });
    const log = new ReadLog(path, { strict: options.strict ?? false });
    logs.push(log);
    if (source.hasNames) for (const note of unfitColumns(columns, roles, options)) log.note(note);
    const like = options.like === undefined ? undefined : parseLike(options.like, source.columns);
    const sequenceStart = isSequences ? SEQUENCE_STEP * (files.length - 1) : undefined;
    await readRows(source, { roles, like, sequenceStart }, table, counts, log, options);
  }
  const firstBroken = logs.flatMap((log) => log.firstBroken.map((row) => ({ ...row, path: log.path })));
  const broken = logs.reduce((sum, log) => sum + log.broken, 0);
  if (counts.rows === 0) throw new DataError(noRows(files, firstBroken));
  const quality = measureQuality(table, { broken, firstBroken: firstBroken.slice(0, BROKEN_ROWS_SHOWN) });
  return { table, inferred: describeColumns(files, table, counts, logs, options), quality };
}

/** A file that is given twice, perhaps by a link, would count each of its rows twice. */
async function refuseRepeated(paths: readonly string[]): Promise<void> {
  const files = new Map<string, string>();
  for (const path of paths) {
    // A file that cannot be found is refused when it is opened.
    const file = await realpath(path).catch(() => path);
    const before = files.get(file);
    if (before !== undefined) {
      throw new DataError(
        `${path}: expected different files, got one twice${before === path ? '' : `: it is ${before}`}`,
      );
    }
    files.set(file, path);
  }
}

async function readRows(
  source: Table,
  plan: RowPlan,
  table: InteractionTable,
  counts: RowCounts,
  log: ReadLog,
  { signal, onProgress }: ReadInteractionsOptions,
): Promise<void> {
  const reader = new RowReader(table, plan, counts, log);
  const progress = { bytesRead: 0 };
  for await (const batch of source.batches({ columns: columnsOf(plan), log, progress, signal })) {
    reader.add(batch);
    onProgress?.({ path: source.path, bytesRead: progress.bytesRead, sizeBytes: source.sizeBytes, rows: counts.rows });
  }
}

function describeColumns(
  files: readonly InferredFile[],
  table: InteractionTable,
  counts: RowCounts,
  logs: readonly ReadLog[],
  { like }: ReadInteractionsOptions,
): InferredColumns {
  const { columns, roles } = files[0]!;
  const value = roles.value && columns[roles.value.column]!;
  const isExplicit =
    value !== undefined &&
    (value.kind === 'boolean' || isRating(value)) &&
    (table.values?.min !== table.values?.max || like !== undefined);
  const notes = new Set(
    logs.flatMap(({ path, notes: all }) => all.map((note) => (logs.length > 1 ? `${path}: ${note}` : note))),
  );
  if (counts.trimmed > 0) notes.add(`identifiers: spaces around ${counts.trimmed} identifiers were removed`);
  if (counts.timeUnits.size > 1) {
    const units = [...counts.timeUnits].map(([unit, rows]) => `${rows} in ${unit}`).join(', ');
    notes.add(`times have several notations: ${units}`);
  }
  if (counts.timeUnits.has('text')) notes.add('times without a time zone are read as UTC');
  const proposed = isExplicit && like === undefined ? proposedLike(roles, table) : undefined;
  return {
    files,
    feedback: isExplicit ? 'explicit' : 'implicit',
    like: like ?? proposed?.like,
    isLikeProposed: proposed !== undefined,
    proposedLeast: proposed?.least,
    counts,
    notes: [...notes],
  };
}

/** The inferred condition: the smallest value that is at least four fifths of the largest; of two values the larger one. */
function proposedLike({ value }: Roles, { values }: InteractionTable): { like: string; least: number } | undefined {
  if (value === undefined || values === undefined) return undefined;
  const distinct = values.distinct ?? [];
  const least = distinct.find((one) => one >= LIKE_SHARE * values.max && one > 0);
  const name = /^[\p{L}_][\p{L}\p{N}_.]*$/u.test(value.name) ? value.name : JSON.stringify(value.name);
  return least === undefined ? undefined : { like: `${name} >= ${least}`, least };
}

/** Checks that a further file has the same roles as the first one. */
function checkSameColumns(first: InferredFile | undefined, roles: Roles, path: string): void {
  if (first === undefined) return;
  for (const role of ['value', 'weight', 'time'] as const) {
    if ((first.roles[role] === undefined) !== (roles[role] === undefined)) {
      const [has, lacks] = roles[role] ? [path, first.path] : [first.path, path];
      throw new DataError(
        `${lacks}: expected a column of ${role}s, because ${has} has one, got none; ${role}Column 'none' ignores such columns`,
      );
    }
  }
}

function noRows(files: readonly InferredFile[], broken: readonly (BrokenRow & { path: string })[]): string {
  const paths = files.map(({ path }) => path).join(', ');
  const [first] = broken;
  const reason = first ? `; the first broken row is line ${first.line}: ${first.reason}` : '';
  return `${paths}: expected interactions, got no valid row${reason}`;
}
