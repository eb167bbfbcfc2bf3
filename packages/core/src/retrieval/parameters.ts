/** The trained parameters of a two-tower model, in the order of its towers, their inputs and their layers. */
import { Cqr } from '../embeddings/cqr.ts';
import type { Tower } from '../towers/tower.ts';
import type { Features } from '../towers/tower-inputs.ts';
import type { Matrix } from '../vectors/matrix.ts';
import type { ModelParts } from './step.ts';

/** The parameters of the query tower, then those of the candidate tower. */
export function parametersOf<Q extends Features, C extends Features>(model: ModelParts<Q, C>): Matrix[] {
  const ofTower = <F extends Features>(tower: Tower<F>): Matrix[] => tower.parameters();
  return [...ofTower(model.queryTower), ...ofTower(model.candidateTower)];
}

/** The tables that learn where their ids point (CQR). */
export function clusteringTables<Q extends Features, C extends Features>(model: ModelParts<Q, C>): Cqr[] {
  const tables = [...model.queryTower.inputs, ...model.candidateTower.inputs].map(({ table }) => table);
  return tables.filter((table) => table instanceof Cqr);
}
