/** Evaluations as text: a table with a row a model, groups of users, and sentences that say which baselines are beaten. */
import type { Estimate, RecommenderMetrics } from 'shortlist/metrics';
import { count, table } from '../terminal/format-numbers.ts';
import type { Terminal } from '../terminal/terminal.ts';
import type { Comparison, EvaluatedModel } from './baselines.ts';
import type { DataEvent, EvaluatedEvent, EvaluateEvent } from './events.ts';

/** Print an event of `shortlist evaluate`. */
export function showEvaluation(event: EvaluateEvent, terminal: Terminal): void {
  if (event.event === 'data') showData(event, terminal);
  else showEvaluated(event, terminal);
}

function showData({ lines, findings, train, trainRows, testRows }: DataEvent, terminal: Terminal): void {
  for (const line of lines) terminal.line(line);
  for (const line of findings) terminal.note(line);
  terminal.line(
    train === undefined
      ? `${count(testRows)} rows to judge by. The bundle does not say what users have seen: nothing is left out, and there ` +
          'are no baselines; --train names the training part'
      : `${count(testRows)} rows to judge by; left out of the lists, and known to the baselines: ${count(trainRows)} rows, ${train}`,
  );
}

function showEvaluated({ ks, model, baselines, comparisons }: EvaluatedEvent, terminal: Terminal): void {
  const models = [...baselines, model];
  const skipped = model.skipped === 0 ? '' : `; ${count(model.skipped)} more have nothing new`;
  terminal.line(`${count(model.users)} users${skipped}`);
  for (const [cut, k] of ks.entries()) {
    terminal.line();
    for (const line of evaluationTable(models, cut)) terminal.line(line);
    const groups = model.segments.flatMap(({ name, description, users }, i) => {
      const cells = models.map(({ segments }) => segments[i]!.metrics[cut]?.recall);
      return [[`${name} (${description})`, count(users), ...cells.map((recall) => (recall ? estimate(recall) : ''))]];
    });
    terminal.line();
    for (const line of table([[`recall@${k}`, 'users', ...models.map(({ name }) => name)], ...groups])) {
      terminal.line(line);
    }
  }
  if (comparisons.length > 0) terminal.line();
  for (const line of comparisonLines(model.name, ks[0]!, comparisons)) terminal.line(line);
}

/** 0.0857 (0.0712 to 0.1003). */
export function estimate({ mean, low, high }: Estimate): string {
  return `${figure(mean)} (${figure(low)} to ${figure(high)})`;
}

/** Four decimals, with the minus of print. */
export function figure(value: number): string {
  return value.toFixed(4).replace('-', '−');
}

/** A table of models at one k. */
export function evaluationTable(models: readonly EvaluatedModel[], cut = 0): string[] {
  const k = models[0]?.metrics[cut]?.k ?? 0;
  const head = ['', `recall@${k} (95 % interval)`, `nDCG@${k}`, `MRR@${k}`, 'coverage', 'long tail'];
  const rows = models.map(({ name, metrics }) => [name, ...cells(metrics[cut])]);
  return table([head, ...rows]);
}

function cells(metrics: RecommenderMetrics | undefined): string[] {
  if (metrics === undefined) return [];
  const { recall, ndcg, reciprocalRank, coverage, longTailShare } = metrics;
  // Without a training part there is no catalogue to cover, and no item is known to be rare.
  const ofCatalogue = Number.isFinite(coverage.mean) ? [coverage, longTailShare] : [];
  return [estimate(recall), ...[ndcg, reciprocalRank, ...ofCatalogue].map(({ mean }) => figure(mean))];
}

/** A sentence for each baseline. */
export function comparisonLines(model: string, k: number, comparisons: readonly Comparison[]): string[] {
  return comparisons.map(({ baseline, difference, verdict }) => {
    const by = `recall@${k} ${difference.mean < 0 ? '' : '+'}${estimate(difference)}`;
    if (verdict === 'better') return `${model} is better than ${baseline}: ${by}`;
    if (verdict === 'worse') return `${model} is WORSE than ${baseline}: ${by}`;
    return `${model} is not shown to be better than ${baseline}: ${by}`;
  });
}
