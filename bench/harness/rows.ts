/**
 * The output of a benchmark: its rows as a table or, with `--json`, as one object a line, and the file bench/results/NAME.json
 * with the rows and a description of the machine. The process exits with 1 if a required row does not hold.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * The requirement of a row. `faster`: the least peer / ours. `ratio`: the largest ours / peer. `atMost` and `atLeast`: bounds of
 * our own result in the unit of the row. `none`: no requirement.
 */
export type Requirement =
  | { readonly faster: number }
  | { readonly ratio: number }
  | { readonly atMost: number }
  | { readonly atLeast: number }
  | { readonly none: true };

export interface Row {
  readonly work: string;
  readonly ours: number;
  /** The result of the peer; the reason if it could not be measured; null if the row has no peer. */
  readonly peer: number | string | null;
  readonly unit: string;
  /** peer / ours if the requirement is `faster`, otherwise ours / peer. */
  readonly ratio?: number;
  readonly required: string;
  readonly holds?: boolean;
  readonly quality?: string | Readonly<Record<string, number | string>>;
  /** The date and the commit of a row that an earlier run measured. */
  readonly measured?: Readonly<Record<'date' | 'commit', string>>;
}

interface Report {
  readonly date: string;
  readonly commit: string;
  readonly rows: readonly Row[];
}

export interface RowInput {
  readonly work: string;
  readonly ours: number;
  readonly peer: number | string | null;
  readonly unit: string;
  readonly required: Requirement;
  /** A second condition of the row, such as equal results or a recall that is reached. */
  readonly qualityHolds?: boolean;
  readonly quality?: Row['quality'];
}

const RESULTS = fileURLToPath(new URL('../../results/', import.meta.url));

/** Makes a row with its ratio, a text of its requirement, and whether it holds; the last is absent if the peer was not measured. */
export function row({ work, ours, peer, unit, required, qualityHolds = true, quality }: RowInput): Row {
  const ratio = typeof peer === 'number' ? ('faster' in required ? peer / ours : ours / peer) : undefined;
  const holds = isFulfilled(required, ours, ratio);
  return {
    work,
    ours: rounded(ours),
    peer: typeof peer === 'number' ? rounded(peer) : peer,
    unit,
    ...(ratio === undefined ? {} : { ratio: rounded(ratio) }),
    required: inWords(required, unit),
    ...(holds === undefined ? {} : { holds: holds && qualityHolds }),
    ...(quality === undefined ? {} : { quality }),
  };
}

/**
 * Write the rows of a part to bench/results/NAME.json beside the others of the file, so that they are not lost when a later part fails.
 */
export function keepRows(name: string, rows: readonly Row[]): void {
  writeReport(name, rows, true);
}

/**
 * Print the rows, write bench/results/NAME.json, and set the exit code.
 *
 * @param isPart true if only a part of the table was measured; then the file keeps its other rows with the date of their measurement
 */
export function finish(name: string, rows: readonly Row[], isPart = false): void {
  const isJson = process.argv.includes('--json');
  console.log(isJson ? rows.map((line) => JSON.stringify(line)).join('\n') : table(rows));
  writeReport(name, rows, isPart);
  const failed = rows.filter((line) => line.holds === false);
  if (failed.length === 0) return;
  console.error(`${failed.length} of ${rows.length} rows do not hold: ${failed.map((line) => line.work).join('; ')}`);
  process.exitCode = 1;
}

function writeReport(name: string, rows: readonly Row[], isPart: boolean): void {
  mkdirSync(RESULTS, { recursive: true });
  const path = join(RESULTS, `${name}.json`);
  const report = { ...circumstances(name), rows: isPart && existsSync(path) ? merged(path, rows) : rows };
  writeFileSync(path, `${JSON.stringify(report, null, 2)}\n`);
}

/** The rows of the file in their order; rows that were measured now replace the old ones, and new ones are added at the end. */
function merged(path: string, rows: readonly Row[]): Row[] {
  const { date, commit, rows: earlier } = JSON.parse(readFileSync(path, 'utf8')) as Report;
  const now = new Map(rows.map((line) => [line.work, line]));
  const kept = earlier.map((line) => now.get(line.work) ?? { ...line, measured: line.measured ?? { date, commit } });
  const known = new Set(earlier.map(({ work }) => work));
  return [...kept, ...rows.filter(({ work }) => !known.has(work))];
}

/** The rows as a table with aligned columns. */
export function table(rows: readonly Row[]): string {
  const lines = [['work', 'ours', 'peer', 'unit', 'ratio', 'required', 'holds', 'quality'], ...rows.map(cells)];
  const widths = lines[0]!.map((_, column) => Math.max(...lines.map((line) => line[column]!.length)));
  return lines
    .map((line) =>
      line
        .map((cell, column) => cell.padEnd(widths[column]!))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

function cells(line: Row): string[] {
  const quality = typeof line.quality === 'object' ? Object.entries(line.quality).map(([k, v]) => `${k} ${v}`) : [];
  return [
    line.work,
    String(line.ours),
    String(line.peer ?? '-'),
    line.unit,
    line.ratio === undefined ? '-' : `${line.ratio} ×`,
    line.required,
    line.holds === undefined ? '-' : line.holds ? 'yes' : 'NO',
    typeof line.quality === 'string' ? line.quality : quality.join(', '),
  ];
}

function isFulfilled(required: Requirement, ours: number, ratio: number | undefined): boolean | undefined {
  if ('atMost' in required) return ours <= required.atMost;
  if ('atLeast' in required) return ours >= required.atLeast;
  if (ratio === undefined || 'none' in required) return undefined;
  return 'faster' in required ? ratio >= required.faster : ratio <= required.ratio;
}

function inWords(required: Requirement, unit: string): string {
  if ('faster' in required) return `≥ ${required.faster} × faster`;
  if ('ratio' in required) return `≤ ${required.ratio} × peer`;
  if ('atMost' in required) return `≤ ${required.atMost} ${unit}`;
  return 'atLeast' in required ? `≥ ${required.atLeast} ${unit}` : '-';
}

function circumstances(name: string): Record<string, unknown> {
  const [cpu] = cpus();
  return {
    name,
    date: new Date().toISOString(),
    command: `npm run bench:${name}`,
    commit: commit(),
    node: process.version,
    v8: process.versions.v8,
    machine: `${cpu?.model.trim() ?? 'unknown'}, ${process.platform} ${process.arch}`,
    cores: availableParallelism(),
    memoryBytes: totalmem(),
  };
}

function commit(): string {
  const git = (...words: string[]): string => execFileSync('git', words, { cwd: RESULTS, encoding: 'utf8' }).trim();
  try {
    return (
      git('rev-parse', 'HEAD') + (git('status', '--porcelain', '--', ':/packages', ':/bench/*.ts') ? ' + changes' : '')
    );
  } catch {
    return 'unknown';
  }
}

// Rounds to four significant digits, more than repeated measurements have in common.
function rounded(value: number): number {
  return Number(value.toPrecision(4));
}
