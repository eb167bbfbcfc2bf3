/** Evaluations as a table of text: a row a model, and sentences that say which baselines it beats. */
import type { Estimate, RecommenderMetrics } from 'shortlist/metrics';
import { table } from '../terminal/figures.ts';
import type { Comparison, JudgedModel } from './judge.ts';

/** 0.0857 (0.0712 to 0.1003). */
export function estimate({ mean, low, high }: Estimate): string {
  return `${figure(mean)} (${figure(low)} to ${figure(high)})`;
}

/** Four decimals, with the minus of print. */
export function figure(value: number): string {
  return value.toFixed(4).replace('-', '−');
}

/** A table of models at one k. */
export function evaluationTable(models: readonly JudgedModel[], cut = 0): string[] {
  const k = models[0]?.metrics[cut]?.k ?? 0;
  const head = ['', `recall@${k} (95 % interval)`, `nDCG@${k}`, `MRR@${k}`, 'coverage', 'long tail'];
  const rows = models.map(({ name, metrics }) => [name, ...cells(metrics[cut])]);
  return table([head, ...rows]);
}

function cells(metrics: RecommenderMetrics | undefined): string[] {
  if (metrics === undefined) return [];
  const { recall, ndcg, reciprocalRank, coverage, longTailShare } = metrics;
  return [estimate(recall), ...[ndcg, reciprocalRank, coverage, longTailShare].map(({ mean }) => figure(mean))];
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
