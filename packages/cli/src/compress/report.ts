/** The results as Markdown for people, CSV for spreadsheets, JSON for programs. */
import { bytes } from '../terminal/format-numbers.ts';
import type { Summary } from './summary.ts';

/** The text above the rows of the tables. */
export interface ReportHead {
  title: string;
  line: string;
  main: string;
  isLowerBetter: boolean;
}

/** Three tables by method and budget: the main metric, the bytes, and the share of the gap that is closed. */
export function markdown(summaries: readonly Summary[], { title, line, main, isLowerBetter }: ReportHead): string {
  const budgets = [...new Set(summaries.map(({ budget }) => budget))].filter((budget) => budget !== '1');
  const methods = [...new Set(summaries.map(({ method }) => method))];
  const grid = (cell: (summary: Summary) => string): string => {
    const rows = methods.map((method) => {
      const cells = (method === 'full' ? ['1'] : budgets).map((budget) => {
        const summary = summaries.find((each) => each.method === method && each.budget === budget);
        if (!summary) return '';
        return summary.refused === undefined ? cell(summary) : '–';
      });
      const filled = method === 'full' ? budgets.map(() => cells[0]!) : cells;
      return `| ${method} | ${filled.join(' | ')} |`;
    });
    const head = `| method | ${budgets.join(' | ')} |\n|---|${budgets.map(() => '--:|').join('')}`;
    return `${head}\n${rows.join('\n')}`;
  };
  const refusals = summaries.flatMap(({ method, budget, refused }) =>
    refused ? [`- ${method}, ${budget}: ${refused}`] : [],
  );
  const seeds = Math.max(0, ...summaries.map((summary) => summary.seeds));
  return [
    `# ${title}`,
    line,
    `## ${main}, ${isLowerBetter ? 'lower' : 'higher'} is better; mean of ${seeds} seeds ± standard deviation`,
    grid(({ figures, deviation }) => `${figures[main]!.toFixed(4)} ± ${deviation.toFixed(4)}`),
    '## Bytes of both tables as saved, pointers included',
    grid((summary) => bytes(summary.bytes)),
    '## Share of the gap between hashing and product quantization that is closed',
    grid(({ gapClosed }) => (gapClosed === undefined ? '' : gapClosed.toFixed(2))),
    ...(refusals.length > 0 ? ['## Budgets that a method cannot meet', refusals.join('\n')] : []),
    '',
  ].join('\n\n');
}

/** The results as CSV, one line for each method and budget. */
export function csv(summaries: readonly Summary[]): string {
  const names = [...new Set(summaries.flatMap(({ figures }) => Object.keys(figures)))];
  const columns = [
    'parameters',
    'bytes',
    'deviation',
    'bestEpoch',
    'secondsPerEpoch',
    'clusterSeconds',
    'h1',
    'h2',
    'gapClosed',
  ] as const;
  const head = ['method', 'budget', 'seeds', ...names, ...columns, 'refused'].join(',');
  const lines = summaries.map((summary) =>
    [
      summary.method,
      summary.budget,
      summary.seeds,
      ...names.map((name) => summary.figures[name] ?? ''),
      ...columns.map((column) => summary[column] ?? ''),
      summary.refused ? `"${summary.refused.replaceAll('"', '""')}"` : '',
    ].join(','),
  );
  return `${[head, ...lines].join('\n')}\n`;
}
