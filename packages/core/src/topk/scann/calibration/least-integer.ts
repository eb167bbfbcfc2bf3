/** Finds the least integer with a property that all larger integers have too, starting from a guess. */

/** The range to search. */
export interface IntegerRange {
  /** The first integer that is tried. */
  from: number;
  min: number;
  max: number;
  /** The ratio of successive tries until two of them enclose the least integer. */
  factor: number;
  /** The result is at most this many times the least integer, or one more than it. */
  step: number;
}

/** The least integer in the range for which `holds`; the largest where it holds for none. */
export function leastInteger(
  { from, min, max, factor, step }: IntegerRange,
  holds: (value: number) => boolean,
): number {
  const within = (value: number): number => Math.min(max, Math.max(min, Math.round(value)));
  let high = within(from);
  let low: number;
  if (holds(high)) {
    low = within(Math.min(high / factor, high - 1));
    while (low < high && holds(low)) {
      high = low;
      low = within(Math.min(low / factor, low - 1));
    }
    if (low === high) return high;
  } else {
    do {
      low = high;
      if (low === max) return max;
      high = within(Math.max(low * factor, low + 1));
    } while (!holds(high));
  }
  while (high > low * step && high - low > 1) {
    const middle = Math.round(Math.sqrt(low * high));
    if (middle <= low || middle >= high) break;
    if (holds(middle)) high = middle;
    else low = middle;
  }
  return high;
}
