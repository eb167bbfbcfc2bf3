/** The trained parameters of a two-tower model, in the order of its towers, their inputs and their layers. */
import { Cqr } from '../embeddings/cqr.ts';
import { type Features, tablesOf } from '../towers/tower-inputs.ts';
import type { Matrix } from '../vectors/matrix.ts';
import type { ModelParts } from './step.ts';

/** The parameters of the query tower, then those that only the candidate tower has. */
export function parametersOf<Q extends Features, C extends Features>(model: ModelParts<Q, C>): Matrix[] {
  return [...new Set([...model.queryTower.parameters(), ...model.candidateTower.parameters()])];
}

/** The tables that learn where their ids point (CQR). */
export function clusteringTables<Q extends Features, C extends Features>(model: ModelParts<Q, C>): Cqr[] {
  const tables = tablesOf([...model.queryTower.inputs, ...model.candidateTower.inputs]);
  return tables.filter((table) => table instanceof Cqr);
}
