/** Finds the least integer with a property that larger ones have too, near a first guess. */

/** The range to search. */
export interface IntegerRange {
  /** The first one tried. */
  from: number;
  min: number;
  max: number;
  /** From try to try, until it is known on which side of two tries it lies. */
  factor: number;
  /** A found one is at most this many times the least one, or one more. */
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
