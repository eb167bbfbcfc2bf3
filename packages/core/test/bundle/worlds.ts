/** Small towers with an index over them, made from a seed, for tests of saving. */
import type { BundleContents } from '../../src/bundle/bundle.ts';
import type { Runtime } from '../../src/parallel/runtime.ts';
import { Generator } from '../../src/random/generator.ts';
import { BruteForce } from '../../src/topk/brute-force/brute-force.ts';
import type { Identifier } from '../../src/topk/contract.ts';
import { Tower } from '../../src/towers/tower.ts';
import type { Features } from '../../src/towers/tower-inputs.ts';
import { Matrix } from '../../src/vectors/matrix.ts';

/** Words of users and items, some beyond ASCII. */
export const USERS: readonly string[] = Array.from({ length: 12 }, (_, i) => `${i + 1}`);
export const TITLES: readonly string[] = Array.from({ length: 40 }, (_, i) =>
  i % 7 === 0 ? `Amélie ${i} 🎬` : `Film ${i}`,
);

/** Identifiers of every kind, as long as the titles. */
export const IDENTIFIERS: Readonly<Record<string, readonly Identifier[] | undefined>> = {
  'row numbers': undefined,
  strings: TITLES,
  'strings that are no Unicode': TITLES.map((title, i) => (i === 3 ? '\ud800' : title)),
  numbers: TITLES.map((_, i) => (i === 5 ? -0.5 : 1000 * i)),
  bigints: TITLES.map((_, i) => 2n ** 62n + BigInt(i)),
  'bigints beyond 64 bits': TITLES.map((_, i) => (-10n) ** BigInt(i)),
};

/** Random vectors in the runtime. */
export function vectors(rows: number, dimensions: number, seed: number, runtime: Runtime): Matrix {
  const generator = new Generator(seed);
  const matrix = new Matrix(rows, dimensions, runtime);
  const { data } = matrix;
  for (let i = 0; i < data.length; i++) data[i] = generator.normal();
  return matrix;
}

/** A one-feature query tower, a candidate tower and the index of the candidates. */
export function world(
  runtime: Runtime,
  options: { seed?: number; identifiers?: readonly Identifier[] | undefined } = {},
): BundleContents<string, Identifier> & { queryTower: Tower<string>; candidateTower: Tower<string> } {
  const { seed = 1, identifiers } = { identifiers: TITLES, ...options };
  const queryTower = Tower.create({ vocabulary: USERS, dimensions: 8, seed, runtime });
  const candidateTower = Tower.create({ vocabulary: TITLES, dimensions: 8, seed: seed + 1, runtime });
  const index = new BruteForce<string, Identifier>({ queryModel: queryTower, k: 5, runtime });
  index.index(candidateTower.embed(TITLES), identifiers);
  return { queryTower, candidateTower, index, metadata: { name: 'test', seed, tags: ['a', { b: null }] } };
}

/** Two named features, two dense layers, unit length: everything a tower can have. */
export function deepTower(runtime: Runtime): Tower<Readonly<Record<'user' | 'place', string>>> {
  return Tower.create({
    features: {
      user: { vocabulary: USERS, dimensions: 6, maskToken: '' },
      place: { vocabulary: ['Köln', '東京', 'Oslo'], dimensions: 3, maskToken: 'none' },
    },
    dense: [7, 5],
    normalize: true,
    seed: 4,
    runtime,
  });
}

/** Any tower's answer as plain numbers. */
export function answer<Q extends Features>(tower: Tower<Q>, features: readonly Q[]): number[] {
  return [...tower.embed(features).data];
}
