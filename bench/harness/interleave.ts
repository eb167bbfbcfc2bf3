/**
 * Measures two sides in turns: A B, B A, A B, …, so that changes in the speed of the machine affect both sides.
 *
 * The result of a side is the median of its rounds. Its spread is the distance between the quartiles divided by the median,
 * and shows how reliable the ratio of two medians is.
 */
export type Side = () => number | Promise<number>;

export interface Measured {
  readonly median: number;
  readonly lowest: number;
  readonly highest: number;
  /** (third quartile - first quartile) / median */
  readonly spread: number;
  readonly rounds: readonly number[];
}

export interface Compared {
  readonly ours: Measured;
  readonly peer: Measured | null;
}

/**
 * Run both sides `rounds` times, after `warmups` rounds that do not count. A side returns its measurement, in the same unit as
 * the other. If the peer is null, only our side is measured.
 */
export async function interleave(ours: Side, peer: Side | null, rounds: number, warmups = 1): Promise<Compared> {
  const [mine, theirs] = await interleaveSides(peer === null ? [ours] : [ours, peer], rounds, warmups);
  return { ours: mine!, peer: theirs ?? null };
}

/** The same for any number of sides; each round begins with another side. */
export async function interleaveSides(sides: readonly Side[], rounds: number, warmups = 1): Promise<Measured[]> {
  const results = sides.map((): number[] => []);
  for (let round = -warmups; round < rounds; round++) {
    for (let i = 0; i < sides.length; i++) {
      const turn = (i + round + warmups * sides.length) % sides.length;
      const result = await sides[turn]!();
      if (round >= 0) results[turn]!.push(result);
    }
  }
  return results.map(measured);
}

/** Median, extremes and spread of the rounds of a side. @throws {Error} when there are no rounds */
export function measured(rounds: readonly number[]): Measured {
  if (rounds.length === 0) throw new Error('rounds: expected at least one, got none');
  const sorted = rounds.toSorted((a, b) => a - b);
  const median = quantile(sorted, 0.5);
  return {
    median,
    lowest: sorted[0]!,
    highest: sorted.at(-1)!,
    spread: (quantile(sorted, 0.75) - quantile(sorted, 0.25)) / median,
    rounds,
  };
}

/** A quantile of ascending numbers, with linear interpolation. */
export function quantile(sorted: ArrayLike<number>, share: number): number {
  const place = share * (sorted.length - 1);
  const below = Math.floor(place);
  const above = Math.ceil(place);
  return sorted[below]! + (place - below) * (sorted[above]! - sorted[below]!);
}
