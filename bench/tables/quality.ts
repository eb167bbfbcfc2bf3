/** The quality rows: `shortlist compress` on MovieLens-100K and on Gowalla, with the requirements. */
import { execFileSync } from 'node:child_process';
import { cpSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Row, row } from '../harness/rows.ts';

const COMMAND = fileURLToPath(new URL('../../../packages/cli/build/src/bin.js', import.meta.url));
const RESULTS = fileURLToPath(new URL('../../results/compress/', import.meta.url));
/** The folder from which interrupted runs continue. */
const WORK = fileURLToPath(new URL('../compress/', import.meta.url));

interface Summary {
  method: string;
  budget: string;
  /** Bytes of both tables, with pointers. */
  bytes: number;
  figures: Record<string, number>;
  gapClosed?: number;
}

/** Run an experiment, copy its tables and chart to bench/results, and return its summaries. */
function experiment(name: string, argv: readonly string[]): Summary[] {
  const out = join(WORK, name);
  execFileSync(process.execPath, [COMMAND, 'compress', '--out', out, ...argv], { stdio: ['ignore', 2, 2] });
  for (const file of ['table.md', 'table.csv', 'figure.svg']) cpSync(join(out, file), join(RESULTS, name, file));
  const { summaries } = JSON.parse(readFileSync(join(out, 'table.json'), 'utf8')) as { summaries: Summary[] };
  return summaries;
}

/** Means on MovieLens-100K, three seeds. */
export function clicks(data: string): Row[] {
  const budgets = '1/4,1/5,1/8,1/10,1/16,1/20,1/32,1/40,1/64,1/250,1/1000';
  const summaries = experiment('clicks', ['--data', join(data, 'movielens-100k'), '--budgets', budgets]);
  const loss = (method: string, budget: string): number => find(summaries, method, budget).figures.crossEntropy!;
  const gap = (budget: string, method = 'cqr'): number => find(summaries, method, budget).gapClosed!;
  const wide = ['1/4', '1/10', '1/16', '1/40'];
  const margin = (method: string): number =>
    Math.min(...wide.map((budget) => loss(method, budget) - loss('cqr', budget)));
  const distance = (method: string): number =>
    Math.max(...['1/4', '1/10', '1/16'].map((budget) => Math.abs(loss(method, budget) - loss('full', '1'))));
  const halves = [
    ['1/16', '1/8'],
    ['1/20', '1/10'],
    ['1/32', '1/16'],
    ['1/40', '1/20'],
    ['1/64', '1/32'],
  ] as const;
  const atHalf = Math.max(...halves.map(([small, large]) => loss('cqr', small) - loss('compositional', large)));
  const figures = (method: string): Record<string, string> =>
    Object.fromEntries(wide.map((budget) => [budget, loss(method, budget).toFixed(4)]));
  const make = (
    work: string,
    ours: number,
    required: Parameters<typeof row>[0]['required'],
    quality?: Row['quality'],
  ): Row => row({ work: `MovieLens-100K, 3 seeds: ${work}`, ours, peer: null, unit: 'nats', required, quality });
  const share = (work: string, ours: number, atLeast: number): Row => ({
    ...make(work, ours, { atLeast }),
    unit: 'share',
    required: `≥ ${atLeast}`,
    quality: Object.fromEntries(wide.map((budget) => [budget, gap(budget).toFixed(2)])),
  });
  return [
    make(
      'CQR below compositional, least margin 1/4 to 1/40',
      margin('compositional'),
      { atLeast: 0.01 },
      figures('cqr'),
    ),
    make(
      'CQR below the hashing trick, least margin',
      margin('hashing-trick'),
      { atLeast: 0.02 },
      figures('hashing-trick'),
    ),
    share('gap to product quantization closed at 1/4', gap('1/4'), 0.65),
    share('the same at 1/10 and 1/16, the lesser', Math.min(gap('1/10'), gap('1/16')), 0.55),
    share('the same at 1/40 and 1/64, the lesser', Math.min(gap('1/40'), gap('1/64')), 0.35),
    {
      ...share(
        'CQR pointed by co-occurrence, the same at 1/16, in no more bytes',
        gap('1/16', 'cqr-co-occurrence'),
        0.8,
      ),
      quality: Object.fromEntries(
        ['cqr-co-occurrence', 'cqr', 'product'].map((method) => [
          `${method} bytes`,
          find(summaries, method, '1/16').bytes,
        ]),
      ),
    },
    make(
      'product quantization from the full table, largest distance to 1/16',
      distance('product'),
      { atMost: 0.02 },
      figures('product'),
    ),
    make('residual quantization, the same', distance('residual'), { atMost: 0.02 }, figures('residual')),
    make(
      'CQR above compositional at twice the budget, most, from 1/16 on',
      atHalf,
      { atMost: 0 },
      figures('compositional'),
    ),
  ];
}

/** More columns and more clusterings. */
export function moreOfEach(data: string): Row[] {
  const at = ['--data', join(data, 'movielens-100k'), '--budgets', '1/16', '--methods', 'cqr,cqr-one-step'];
  const runs = [2, 4, 8, 16].map((columns) => {
    const summaries = experiment(`columns-${columns}`, [...at, '--columns', String(columns)]);
    const loss = (method: string): string => find(summaries, method, '1/16').figures.crossEntropy!.toFixed(4);
    return { columns, iterated: loss('cqr'), once: loss('cqr-one-step') };
  });
  const fewer = [1, 2, 4].map((clusterings) => {
    const summaries = experiment(`clusterings-${clusterings}`, [...at, '--clusterings', String(clusterings)]);
    return { clusterings, loss: find(summaries, 'cqr', '1/16').figures.crossEntropy! };
  });
  const make = (what: string, ours: number, quality?: Row['quality']): Row => {
    const work = `MovieLens-100K at 1/16, 3 seeds: ${what}`;
    return row({ work, ours, peer: null, unit: 'nats', required: { none: true }, quality });
  };
  return [
    ...runs.map(({ columns, iterated, once }) =>
      make(`${columns} columns, a clustering after each of 11 epochs`, Number(iterated), {
        'one clustering, no helper': once,
      }),
    ),
    ...fewer.map(({ clusterings, loss }) =>
      make(`8 columns, clusterings after the first ${clusterings} of 15 epochs`, loss),
    ),
  ];
}

/** Recall on the published split of Gowalla. */
export function retrieval(data: string): Row[] {
  const at = ['--data', join(data, 'gowalla'), '--budgets', '1/4,1/16'];
  // Three seeds of the methods that have a required share of the gap; one seed of the others, each of which takes minutes.
  const required = ['--seeds', '3', '--methods', 'full,product,cqr-als,hashing-trick'];
  const threeSeeds = experiment('retrieval', [...at, ...required]);
  const methods = 'full,product,residual,cqr-als,cqr-co-occurrence,cqr,compositional,hashing-trick';
  const summaries = experiment('retrieval', [...at, '--seeds', '1', '--methods', methods]);
  const recall = (method: string, budget: string): number => find(summaries, method, budget).figures['recall@20']!;
  const order = ['product', 'residual', 'cqr', 'compositional', 'hashing-trick'];
  const quarter = [recall('full', '1'), ...order.map((method) => recall(method, '1/4'))];
  const [full, product, residual, cqr, compositional, hashing] = quarter as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const ordered = full >= product && full >= residual && Math.min(product, residual) > cqr && cqr > compositional;
  const quality = Object.fromEntries(['full', ...order].map((name, i) => [name, quarter[i]!.toFixed(4)]));
  const ratio = (budget: string): Row =>
    row({
      work: `Gowalla, recall@20 at ${budget}: CQR over the hashing trick`,
      ours: recall('cqr', budget) / recall('hashing-trick', budget),
      peer: null,
      unit: '×',
      required: { atLeast: 1.5 },
      quality: Object.fromEntries(
        ['cqr-als', 'cqr-co-occurrence', ...order].map((method) => [method, recall(method, budget).toFixed(4)]),
      ),
    });
  const gap = (budget: string, atLeast: number): Row =>
    row({
      work: `Gowalla, 3 seeds, recall@20 at ${budget}: share of the gap to product quantization that quantized ALS closes`,
      ours: find(threeSeeds, 'cqr-als', budget).gapClosed!,
      peer: null,
      unit: 'share',
      required: { atLeast },
      quality: Object.fromEntries(
        ['cqr-als', 'product', 'hashing-trick'].flatMap((method) => {
          const { figures, bytes } = find(threeSeeds, method, budget);
          return [
            [`${method} recall`, figures['recall@20']!.toFixed(4)],
            [`${method} bytes`, bytes],
          ];
        }),
      ),
    });
  const inOrder = row({
    work: 'Gowalla, recall@20 at 1/4: full ≥ PQ, RQ > CQR > compositional > hashing',
    ours: cqr,
    peer: null,
    unit: 'recall@20',
    required: { atLeast: 0 },
    qualityHolds: ordered && compositional > hashing,
    quality,
  });
  return [ratio('1/4'), ratio('1/16'), gap('1/4', 0.85), gap('1/16', 0.75), inOrder];
}

function find(summaries: readonly Summary[], method: string, budget: string): Summary {
  const found = summaries.find((each) => each.method === method && each.budget === budget);
  if (!found) throw new Error(`${method} at ${budget}: expected a result, got none`);
  return found;
}
