/**
 * The plan of a compression experiment: its methods, budgets and seeds. A budget is a share of the parameters of the full
 * tables; each table gets the same share.
 */
import type { EmbeddingOptions } from 'shortlist';
import type { ClusterSchedule } from 'shortlist/training';
import { UsageError } from '../terminal/command.ts';
import type { FirstPointers } from './experiment.ts';

/** The way in which the tables of a method are made: trained, or quantized from full tables. */
export type Recipe =
  | {
      kind: 'train';
      embedding: (parameters: number, columns: number) => EmbeddingOptions;
      clusterings?: ClusterSchedule;
      /** Default 'hashes'. */
      firstPointers?: FirstPointers;
    }
  /** Quantizes the best full tables of the same seed. */
  | { kind: 'quantize'; how: 'product' | 'residual' };

/** Every method, in the order of the tables that are printed. */
export const RECIPES: Readonly<Record<string, Recipe>> = {
  full: { kind: 'train', embedding: () => ({ method: 'full' }) },
  product: { kind: 'quantize', how: 'product' },
  residual: { kind: 'quantize', how: 'residual' },
  cqr: {
    kind: 'train',
    embedding: (parameters, columns) => ({ method: 'cqr', parameters, columns }),
    // A clustering after every epoch; `clusterSteps` leaves the last quarter of the epochs free of them.
    clusterings: { every: 1 },
  },
  'cqr-co-occurrence': {
    kind: 'train',
    embedding: (parameters, columns) => ({ method: 'cqr', parameters, columns }),
    clusterings: { every: 1 },
    firstPointers: 'co-occurrence',
  },
  'cqr-als': {
    kind: 'train',
    embedding: (parameters, columns) => ({ method: 'cqr', parameters, columns }),
    firstPointers: 'als',
  },
  'cqr-one-step': {
    kind: 'train',
    embedding: (parameters, columns) => ({ method: 'cqr', parameters, columns }),
    clusterings: { times: 1, helper: false },
  },
  compositional: {
    kind: 'train',
    embedding: (parameters, columns) => ({ method: 'compositional', parameters, columns }),
  },
  unified: { kind: 'train', embedding: (parameters, columns) => ({ method: 'unified', parameters, columns }) },
  robe: { kind: 'train', embedding: (parameters, columns) => ({ method: 'robe', parameters, columns }) },
  dhe: { kind: 'train', embedding: (parameters) => ({ method: 'dhe', parameters }) },
  'hash-embeddings': { kind: 'train', embedding: (parameters) => ({ method: 'hash-embeddings', parameters }) },
  bloom: { kind: 'train', embedding: (parameters) => ({ method: 'bloom', parameters }) },
  'quotient-remainder': { kind: 'train', embedding: (parameters) => ({ method: 'quotient-remainder', parameters }) },
  'hashing-trick': { kind: 'train', embedding: (parameters) => ({ method: 'hashing-trick', parameters }) },
};

/** One training or quantization. */
export interface Job {
  method: string;
  /** As written: '1/4'. */
  budget: string;
  seed: number;
}

/** The jobs. In each seed the full tables come first, because quantization starts from them. */
export function plan(methods: readonly string[], budgets: readonly string[], seeds: number): Job[] {
  const jobs: Job[] = [];
  for (let seed = 1; seed <= seeds; seed++) {
    if (methods.includes('full')) jobs.push({ method: 'full', budget: '1', seed });
    for (const method of Object.keys(RECIPES)) {
      if (method === 'full' || !methods.includes(method)) continue;
      for (const budget of budgets) jobs.push({ method, budget, seed });
    }
  }
  return jobs;
}

/** '1/16' or '0.0625' → 0.0625. */
export function shareOf(budget: string, option = '--budgets'): number {
  const [above, below = '1', ...rest] = budget.split('/');
  const share = Number(above) / Number(below);
  if (rest.length > 0 || above === '' || !(share > 0 && share <= 1)) {
    throw new UsageError(`${option}: expected shares such as 1/16 in (0, 1], got ${JSON.stringify(budget)}`);
  }
  return share;
}

/** 'all' or names with commas. */
export function methodsOf(text: string): string[] {
  const all = Object.keys(RECIPES);
  if (text === 'all') return all;
  const names = text.split(',');
  for (const name of names) {
    if (!all.includes(name)) throw new UsageError(`--methods: expected all or some of ${all.join(', ')}, got ${name}`);
  }
  return names;
}
