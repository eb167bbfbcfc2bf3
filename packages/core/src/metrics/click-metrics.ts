/**
 * Metrics of predicted clicks: cross-entropy and area under the ROC curve.
 *
 * Letters: z a logit, y in {0, 1} the label.
 */
import { checkArgument, NUMBERS } from '../checks/arguments.ts';
import { ShapeError } from '../errors/errors.ts';

/** Quality of predicted click probabilities. */
export interface ClickMetrics {
  /** Mean over rows of log(1 + e^z) − y·z, in nats. */
  crossEntropy: number;
  /** Share of (click, no click) pairs in the right order, ties one half; undefined where all labels are equal. */
  auc: number | undefined;
}

/**
 * Metrics of logits against labels.
 *
 * @throws {ShapeError} when they differ in length or are empty
 */
export function clickMetrics(logits: ArrayLike<number>, labels: ArrayLike<number>): ClickMetrics {
  checkArgument('logits', logits, NUMBERS);
  checkArgument('labels', labels, NUMBERS);
  const rows = labels.length;
  if (rows === 0 || logits.length !== rows) {
    throw new ShapeError(`logits: expected ${rows}, one a label, and at least one, got ${logits.length}`);
  }
  let sum = 0;
  for (let i = 0; i < rows; i++) sum += crossEntropy(logits[i]!, labels[i]!);
  return { crossEntropy: sum / rows, auc: auc(logits, labels) };
}

/** log(1 + e^z) − y·z without overflow. */
export function crossEntropy(z: number, y: number): number {
  return Math.max(z, 0) - y * z + Math.log1p(Math.exp(-Math.abs(z)));
}

/** By the sum of the ranks of the clicks (Mann and Whitney 1947); equal logits share their mean rank. */
function auc(logits: ArrayLike<number>, labels: ArrayLike<number>): number | undefined {
  const rows = labels.length;
  const order = Float64Array.from({ length: rows }, (_, i) => i).sort((a, b) => logits[a]! - logits[b]!);
  let clicks = 0;
  let ranks = 0;
  for (let begin = 0; begin < rows; ) {
    let end = begin + 1;
    while (end < rows && logits[order[end]!] === logits[order[begin]!]) end++;
    const rank = (begin + 1 + end) / 2;
    for (let i = begin; i < end; i++) {
      if (labels[order[i]!]! === 0) continue;
      clicks++;
      ranks += rank;
    }
    begin = end;
  }
  const others = rows - clicks;
  return clicks === 0 || others === 0 ? undefined : (ranks - (clicks * (clicks + 1)) / 2) / (clicks * others);
}
