/**
 * Two sides measured in turns: A B, B A, A B … so that a machine that slows down or warms up does so for both.
 *
 * The figure of a side is the median of its rounds; the spread is the distance between its quartiles over the median,
 * and a reader can tell from it what the ratio of the two medians is worth.
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
 * Runs both sides `rounds` times each, after `warmups` rounds that do not count. A side returns its own figure (seconds,
 * milliseconds, whatever both mean); a missing peer is passed as null and leaves ours measured alone.
 */
export async function interleave(ours: Side, peer: Side | null, rounds: number, warmups = 1): Promise<Compared> {
  const [mine, theirs] = await interleaveSides(peer === null ? [ours] : [ours, peer], rounds, warmups);
  return { ours: mine!, peer: theirs ?? null };
}

/** The same for any number of sides, each round beginning with the next one. */
export async function interleaveSides(sides: readonly Side[], rounds: number, warmups = 1): Promise<Measured[]> {
  const figures = sides.map((): number[] => []);
  for (let round = -warmups; round < rounds; round++) {
    for (let i = 0; i < sides.length; i++) {
      const turn = (i + round + warmups * sides.length) % sides.length;
      const figure = await sides[turn]!();
      if (round >= 0) figures[turn]!.push(figure);
    }
  }
  return figures.map(measured);
}

/** Median, extremes and spread of the rounds of one side; throws where there is none. */
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

/** The quantile of ascending figures, linear between neighbours; 0.99 of single latencies is their p99. */
export function quantile(sorted: ArrayLike<number>, share: number): number {
  const place = share * (sorted.length - 1);
  const below = Math.floor(place);
  const above = Math.ceil(place);
  return sorted[below]! + (place - below) * (sorted[above]! - sorted[below]!);
}
