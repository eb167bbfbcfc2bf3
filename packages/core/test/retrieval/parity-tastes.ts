/** Interactions with a taste that two towers can learn: users like the movies of their own parity. */
import { Runtime } from '../../src/parallel/runtime.ts';
import { Generator } from '../../src/random/generator.ts';
import type { RetrievalDataset } from '../../src/retrieval/dataset.ts';
import { TwoTowerModel } from '../../src/retrieval/model.ts';
import { Tower } from '../../src/towers/tower.ts';

/** Users `user 0` to `user 29`. */
export const users: readonly string[] = Array.from({ length: 30 }, (_, i) => `user ${i}`);
/** Movies `movie 0` to `movie 19`. */
export const movies: readonly string[] = Array.from({ length: 20 }, (_, i) => `movie ${i}`);

/** Each user likes movies of the user's own parity: a taste two towers can learn. */
export function tastes(rows: number, seed = 1): RetrievalDataset<string, string> {
  const generator = new Generator(seed);
  const drawn = Array.from({ length: rows }, () => generator.below(users.length));
  return {
    queries: drawn.map((u) => users[u]!),
    candidates: drawn.map((u) => movies[2 * generator.below(10) + (u % 2)]!),
  };
}

/** An untrained model of them. */
export function parityModel(runtime: Runtime = new Runtime({ threads: 1 }), options = {}): TwoTowerModel {
  return new TwoTowerModel({
    queryTower: Tower.create({ vocabulary: users, dimensions: 6, seed: 1, runtime }),
    candidateTower: Tower.create({ vocabulary: movies, dimensions: 6, seed: 2, runtime }),
    ...options,
  });
}

/** All parameters of a model, as plain numbers. */
export const weightsOf = ({ queryTower, candidateTower }: TwoTowerModel): number[][] =>
  [...queryTower.parameters(), ...candidateTower.parameters()].map(({ data }) => [...data]);
