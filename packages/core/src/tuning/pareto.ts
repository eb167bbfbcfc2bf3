/** The Pareto front: the points for which no other point has more recall at no more time and bytes. */

import { checkArgument } from '../checks/arguments.ts';
import { optionType } from '../checks/options.ts';

/** The recall of a setting, and its cost. */
export interface TradeOff {
  recall: number;
  latencyMs: number;
  sizeBytes: number;
}

/** The points that none of the others equals or betters in all three, by recall ascending. */
export function paretoFront<T extends TradeOff>(points: readonly T[]): T[] {
  checkArgument('points', points, optionType('a list of points', isListOfPoints));
  return points
    .filter((point, i) => !points.some((other, j) => beats(other, point) || (j < i && equals(other, point))))
    .sort((a, b) => a.recall - b.recall || a.latencyMs - b.latencyMs);
}

function equals(a: TradeOff, b: TradeOff): boolean {
  return a.recall === b.recall && a.latencyMs === b.latencyMs && a.sizeBytes === b.sizeBytes;
}

function beats(a: TradeOff, b: TradeOff): boolean {
  return a.recall >= b.recall && a.latencyMs <= b.latencyMs && a.sizeBytes <= b.sizeBytes && !equals(a, b);
}

function isListOfPoints(value: unknown): boolean {
  return Array.isArray(value) && value.every((point) => typeof point === 'object' && point !== null);
}
