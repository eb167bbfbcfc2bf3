/**
 * Finds the least integer whose measured value reaches a target, where larger integers have larger values.
 *
 * The loss 1 − value falls nearly as a power of the integer. Each try is therefore where the line through the last two
 * tries, log loss over log integer, has the loss of the target; that takes half as many tries as doubling and halving.
 */

/** The range to search. */
export interface IntegerRange {
  /** The first integer that is tried. */
  from: number;
  min: number;
  max: number;
  /** The value to reach, in [0, 1]. */
  target: number;
  /** The result is at most this many times the least integer, or one more than it. */
  step: number;
}

/** An integer and its value. */
interface Try {
  at: number;
  value: number;
}

/** The largest ratio of two successive tries: the line is right near its tries only. */
const RATIO_MAX = 3;
/** The smallest loss that is told from none, so that its logarithm exists. */
const LOSS_MIN = 1e-4;
/** The most tries by the line. A value that is no power of the integer is found by halving the logarithm after them. */
const LINE_TRIES = 12;

/** The least integer in the range whose value reaches the target; the largest where none does. */
export function leastInteger(
  { from, min, max, target, step }: IntegerRange,
  measure: (integer: number) => number,
): number {
  const within = (integer: number): number => Math.min(max, Math.max(min, Math.round(integer)));
  let low: Try | undefined;
  let high: Try | undefined;
  let at = within(from);
  for (let tries = 1; ; tries++) {
    const value = measure(at);
    const last = value >= target ? high : low;
    if (value >= target) high = { at, value };
    else low = { at, value };
    if (low?.at === max) return max;
    if (high?.at === min) return min;
    if (low && high && (high.at <= low.at * step || high.at - low.at <= 1)) return high.at;
    const here = { at, value };
    at = within(nextTry(here, low && high ? (value >= target ? low : high) : last, target, step));
    if (low && high) {
      if (tries > LINE_TRIES) at = Math.round(Math.sqrt(low.at * high.at));
      at = Math.min(high.at - 1, Math.max(low.at + 1, at));
    } else if (low) at = Math.max(low.at + 1, at);
    else at = Math.min(high!.at - 1, at);
  }
}

/** The next try: the place where the line through the last try and another has the loss of the target, and a little past it. */
function nextTry(here: Try, other: Try | undefined, target: number, step: number): number {
  const loss = ({ value }: Try): number => Math.log(Math.max(LOSS_MIN, 1 - value));
  let slope = -1;
  if (other && other.at !== here.at) {
    slope = (loss(here) - loss(other)) / (Math.log(here.at) - Math.log(other.at));
  }
  const wanted = loss({ at: 0, value: target });
  // Tries of one value have no line between them.
  const ratio = slope < 0 ? Math.exp((wanted - loss(here)) / slope) : here.value >= target ? 0 : RATIO_MAX;
  // A third of a step past the target, on its other side: the next two tries then often enclose it within a step.
  const past = here.value >= target ? 1 / step ** (1 / 3) : step ** (1 / 3);
  return here.at * Math.min(RATIO_MAX, Math.max(1 / RATIO_MAX, ratio)) * past;
}
