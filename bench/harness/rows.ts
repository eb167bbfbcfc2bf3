/**
 * The output of a benchmark: a row for each line of its table, as a table or (`--json`) one object a line, and the file
 * bench/results/NAME.json with the machine it was measured on. The process exits with 1 where a required row fails.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * The requirement of a row. `faster`: peer / ours at least so much. `ratio`: ours / peer at most so much. `atMost` and
 * `atLeast`: our own figure, in the row's unit, whatever a peer does. `none`: the row is for reading.
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
  /** The peer's figure; the reason where it could not be measured; null where the row has no peer. */
  readonly peer: number | string | null;
  readonly unit: string;
  /** peer / ours where the requirement is `faster`, else ours / peer. */
  readonly ratio?: number;
  readonly required: string;
  readonly holds?: boolean;
  readonly quality?: string | Readonly<Record<string, number | string>>;
  /** Of rows that an earlier run measured: when, and of which commit. */
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
  /** A second condition of holding, for rows that must answer as well as hurry: equal answers, a recall reached. */
  readonly qualityHolds?: boolean;
  readonly quality?: Row['quality'];
}

const RESULTS = fileURLToPath(new URL('../../results/', import.meta.url));

/** Makes a row: its ratio, its requirement in words, and whether it holds (left out where that cannot be known). */
export function row({ work, ours, peer, unit, required, qualityHolds = true, quality }: RowInput): Row {
  const ratio = typeof peer === 'number' ? ('faster' in required ? peer / ours : ours / peer) : undefined;
  const holds = judge(required, ours, ratio);
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
 * Prints the rows, writes bench/results/NAME.json, and sets the exit code.
 *
 * @param isPart true where only a part of the table was measured: the file keeps its other rows, and says when they were
 */
export function finish(name: string, rows: readonly Row[], isPart = false): void {
  const isJson = process.argv.includes('--json');
  console.log(isJson ? rows.map((line) => JSON.stringify(line)).join('\n') : table(rows));
  mkdirSync(RESULTS, { recursive: true });
  const path = join(RESULTS, `${name}.json`);
  const report = { ...circumstances(name), rows: isPart && existsSync(path) ? merged(path, rows) : rows };
  writeFileSync(path, `${JSON.stringify(report, null, 2)}\n`);
  const failed = rows.filter((line) => line.holds === false);
  if (failed.length === 0) return;
  console.error(`${failed.length} of ${rows.length} rows do not hold: ${failed.map((line) => line.work).join('; ')}`);
  process.exitCode = 1;
}

/** Rows of the file in their order, those measured now in their place, new ones at the end. */
function merged(path: string, rows: readonly Row[]): Row[] {
  const { date, commit, rows: earlier } = JSON.parse(readFileSync(path, 'utf8')) as Report;
  const now = new Map(rows.map((line) => [line.work, line]));
  const kept = earlier.map((line) => now.get(line.work) ?? { ...line, measured: line.measured ?? { date, commit } });
  const known = new Set(earlier.map(({ work }) => work));
  return [...kept, ...rows.filter(({ work }) => !known.has(work))];
}

/** The rows as aligned columns. */
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

function judge(required: Requirement, ours: number, ratio: number | undefined): boolean | undefined {
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

// Four significant digits: more than a shared machine can repeat.
function rounded(value: number): number {
  return Number(value.toPrecision(4));
}
