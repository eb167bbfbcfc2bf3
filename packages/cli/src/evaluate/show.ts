/** Prints evaluations: a table with a row for each model, recall by groups of users, and a sentence for each baseline. */
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
      ? `Test part: ${count(testRows)} rows. The bundle has no seen items, so nothing is left out of the lists and there ` +
          'are no baselines; --train FILE gives the training part'
      : `Test part: ${count(testRows)} rows. Training part: ${count(trainRows)} rows (${train}), whose items are left out ` +
          'of the lists; the baselines learn from it',
  );
}

function showEvaluated({ ks, model, baselines, comparisons }: EvaluatedEvent, terminal: Terminal): void {
  const models = [...baselines, model];
  const skipped =
    model.skipped === 0
      ? ''
      : `; ${count(model.skipped)} more are skipped, because all their items are in the training part`;
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

/** A mean with its interval: 0.0857 (0.0712 to 0.1003). */
export function estimate({ mean, low, high }: Estimate): string {
  return `${figure(mean)} (${figure(low)} to ${figure(high)})`;
}

/** A number with four decimals and a typographic minus sign. */
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
  // Coverage and the long tail are defined by the training part.
  const ofCatalogue = Number.isFinite(coverage.mean) ? [coverage, longTailShare] : [];
  return [estimate(recall), ...[ndcg, reciprocalRank, ...ofCatalogue].map(({ mean }) => figure(mean))];
}

/** A sentence for each baseline. */
export function comparisonLines(model: string, k: number, comparisons: readonly Comparison[]): string[] {
  return comparisons.map(({ baseline, difference, verdict }) => {
    const by = `recall@${k} ${difference.mean < 0 ? '' : '+'}${estimate(difference)}`;
    if (verdict === 'better') return `${model} is better than ${baseline}: ${by}`;
    if (verdict === 'worse') return `${model} is WORSE than ${baseline}: ${by}`;
    return `${model} and ${baseline} do not differ significantly: ${by}`;
  });
}
