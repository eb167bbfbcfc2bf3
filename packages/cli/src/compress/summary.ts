/** Summaries of results: means over seeds, and the share of the gap between hashing and quantization that a method closes. */
import type { Result } from './results.ts';

/** The results of a method at a budget, over all seeds. */
export interface Summary {
  method: string;
  budget: string;
  seeds: number;
  parameters: number;
  bytes: number;
  /** Means of the metrics over seeds. */
  figures: Record<string, number>;
  /** Standard deviation of the main metric over seeds. */
  deviation: number;
  bestEpoch: number;
  secondsPerEpoch: number;
  clusterSeconds: number;
  h1: number | undefined;
  h2: number | undefined;
  /** (hashing − method) / (hashing − product) of the main metric: 0 for hashing, 1 for product quantization. */
  gapClosed: number | undefined;
  refused: string | undefined;
}

/** Summaries in the order of methods and budgets. */
export function summarize(
  results: readonly Result[],
  methods: readonly string[],
  budgets: readonly string[],
  main: string,
): Summary[] {
  const of = (method: string, budget: string): Result[] =>
    results.filter((result) => result.method === method && result.budget === budget);
  const mainOf = (method: string, budget: string): number | undefined => {
    const values = of(method, budget).flatMap(({ figures }) => (figures ? [figures[main]!] : []));
    return values.length === 0 ? undefined : mean(values);
  };
  return methods.flatMap((method) =>
    (method === 'full' ? ['1'] : budgets).flatMap((budget): Summary[] => {
      const group = of(method, budget);
      if (group.length === 0) return [];
      const average = (pick: (result: Result) => number | undefined): number =>
        mean(group.map((each) => pick(each) ?? 0));
      const names = Object.keys(group[0]!.figures ?? {});
      const values = group.flatMap(({ figures }) => (figures ? [figures[main]!] : []));
      const [hashing, product] = [mainOf('hashing-trick', budget), mainOf('product', budget)];
      const own = mainOf(method, budget);
      const comparable = hashing !== undefined && product !== undefined && own !== undefined && method !== 'full';
      return [
        {
          method,
          budget,
          seeds: group.length,
          parameters: average(({ parameters }) => parameters),
          bytes: average(({ bytes }) => bytes),
          figures: Object.fromEntries(names.map((name) => [name, average(({ figures }) => figures?.[name])])),
          deviation: Math.sqrt(mean(values.map((value) => (value - mean(values)) ** 2))),
          bestEpoch: average(({ bestEpoch }) => bestEpoch),
          secondsPerEpoch: average(({ secondsPerEpoch }) => secondsPerEpoch),
          clusterSeconds: average(({ clusterSeconds }) => clusterSeconds),
          h1: group[0]!.h1,
          h2: group[0]!.h2,
          gapClosed: comparable ? (hashing - own) / (hashing - product) : undefined,
          refused: group[0]!.refused,
        },
      ];
    }),
  );
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
}
