/** Turns batches of a table into interactions: cells become codes and numbers, and broken rows are reported with their lines. */
import { BROKEN_ROWS_SHOWN, type ReadLog } from '../bytes/read-log.ts';
import { type Cell, type Cells, isMissing, numberOf, textOf } from '../columns/cell.ts';
import { CompactNumbers } from '../columns/segments.ts';
import { parseTime, SECONDS_BELOW, type TimeUnit } from '../columns/time.ts';
import type { Like } from '../inference/like.ts';
import type { Roles } from '../inference/roles.ts';
import type { TableBatch } from '../tables/contract.ts';
import type { InteractionTable } from './interaction-table.ts';

/** The counts of a reading. */
export interface RowCounts {
  /** The rows of the files without broken ones. */
  rows: number;
  /** The rows that are likes; all rows without a condition. */
  liked: number;
  /** Identifiers that had spaces around them, which were removed. */
  trimmed: number;
  /** The number of times in each notation. */
  readonly timeUnits: Map<TimeUnit, number>;
}

/** The plan of reading a file. */
export interface RowPlan {
  readonly roles: Roles;
  /** The condition of a like; other rows are left out. */
  readonly like?: Like | undefined;
  /** If times are positions in a sequence: the number that is added to them. */
  readonly sequenceStart?: number | undefined;
}

/** The columns of a table that a plan needs. */
export function columnsOf({ roles, like }: RowPlan): number[] {
  const { user, item, value, weight, time } = roles;
  return [
    ...[user, item, value, weight, time].flatMap((role) => (role ? [role.column] : [])),
    ...(like?.columns ?? []),
  ];
}

/** Adds batches of one file to a table of interactions. */
export class RowReader {
  readonly #table: InteractionTable;
  readonly #plan: RowPlan;
  readonly #counts: RowCounts;
  readonly #log: ReadLog;
  /** The number of times in seconds. It has its own counter because it is the usual notation. */
  #inSeconds = 0;

  constructor(table: InteractionTable, plan: RowPlan, counts: RowCounts, log: ReadLog) {
    this.#table = table;
    this.#plan = plan;
    this.#counts = counts;
    this.#log = log;
    const { value, weight, time } = plan.roles;
    if (value) table.values ??= new CompactNumbers();
    if (weight) table.weights ??= new CompactNumbers();
    if (time) table.times ??= new CompactNumbers();
  }

  add(batch: TableBatch): void {
    const { roles, like } = this.#plan;
    const cells = batch.columns;
    let at = 2;
    const [users, items] = [cells[0]!, cells[1]!];
    const values = roles.value && cells[at++];
    const weights = roles.weight && cells[at++];
    const times = roles.time && cells[at++];
    const likeColumns = cells.slice(at);
    for (let row = 0; row < batch.rows; row++) {
      const user = this.#identifier(users[row]!);
      const item = this.#identifier(items[row]!);
      const value = values === undefined ? 0 : booleanOrNumber(values[row]!);
      const weight = weights === undefined ? 1 : numberOf(weights[row]!);
      const time = times === undefined ? 0 : this.#time(times[row]!);
      if (user === '' || item === '' || !Number.isFinite(value + time) || !(weight >= 0 && weight < Infinity)) {
        this.#log.reject(
          batch.lineOf(row),
          this.#reason({ user, item, value, weight, time }, row, { values, weights, times }),
        );
        continue;
      }
      this.#counts.rows++;
      if (like && !like.test(likeColumns, row)) continue;
      this.#counts.liked++;
      this.#push(user, item, value, weight, time);
    }
    if (this.#inSeconds > 0) this.#countTimes('seconds', this.#inSeconds);
    this.#inSeconds = 0;
  }

  #push(user: string, item: string, value: number, weight: number, time: number): void {
    const table = this.#table;
    table.users.push(table.userVocabulary.add(user));
    table.items.push(table.itemVocabulary.add(item));
    table.values?.push(value);
    table.weights?.push(weight);
    table.times?.push(time);
  }

  /** An identifier as text, with its leading zeros and without surrounding spaces. */
  #identifier(cell: Cell): string {
    const text = textOf(cell);
    const last = text.length - 1;
    if (last < 0 || (text.charCodeAt(0) > SPACE && text.charCodeAt(last) > SPACE)) return text;
    const trimmed = text.trim();
    if (trimmed !== '') this.#counts.trimmed++;
    return trimmed;
  }

  #time(cell: Cell): number {
    const { sequenceStart } = this.#plan;
    if (sequenceStart !== undefined) return sequenceStart + numberOf(cell);
    const value = numberOf(cell);
    if (value >= 0 && value < SECONDS_BELOW) {
      this.#inSeconds++;
      return value;
    }
    const { seconds, unit } = parseTime(cell);
    if (!Number.isNaN(seconds)) this.#countTimes(unit, 1);
    return seconds;
  }

  #countTimes(unit: TimeUnit, rows: number): void {
    this.#counts.timeUnits.set(unit, (this.#counts.timeUnits.get(unit) ?? 0) + rows);
  }

  #reason(
    { user, item, value, weight, time }: { user: string; item: string; value: number; weight: number; time: number },
    row: number,
    { values, weights, times }: { [K in 'values' | 'weights' | 'times']: Cells | undefined },
  ): string {
    // Only the first broken rows are reported, so that no text is made for further ones.
    if (this.#log.broken >= BROKEN_ROWS_SHOWN && !this.#log.strict) return '';
    const { roles } = this.#plan;
    if (user === '') return `${roles.user.name}: expected an identifier, got nothing`;
    if (item === '') return `${roles.item.name}: expected an identifier, got nothing`;
    if (!Number.isFinite(value)) return `${roles.value!.name}: expected a number, got ${shownCell(values![row]!)}`;
    if (!Number.isFinite(time)) return `${roles.time!.name}: expected a time, got ${shownCell(times![row]!)}`;
    const wanted = weight < 0 ? 'a number of at least 0' : 'a number';
    return `${roles.weight!.name}: expected ${wanted}, got ${shownCell(weights![row]!)}`;
  }
}

const SPACE = 32;

const YES = /^(true|yes|t|y)$/i;
const NO = /^(false|no|f|n)$/i;

/** A value: a number, or a boolean as 1 or 0. */
function booleanOrNumber(cell: Cell): number {
  const value = numberOf(cell);
  if (!Number.isNaN(value) || typeof cell !== 'string') return value;
  const text = cell.trim();
  return YES.test(text) ? 1 : NO.test(text) ? 0 : Number.NaN;
}

function shownCell(cell: Cell): string {
  if (isMissing(cell)) return 'nothing';
  const text = textOf(cell);
  return JSON.stringify(text.length > 40 ? `${text.slice(0, 37)}…` : text);
}
