/** The trained parameters of a two-tower model, in the order of its towers, their inputs and their layers. */
import { Cqr } from '../embeddings/cqr.ts';
import type { NamedParameters } from '../optimizers/parameter-groups.ts';
import type { Tower } from '../towers/tower.ts';
import { encoderParameters, type Features, type TowerInput, tablesOf } from '../towers/tower-inputs.ts';
import type { Matrix } from '../vectors/matrix.ts';
import type { ModelParts } from './step.ts';

/** The two towers of a model. */
type Towers<Q extends Features, C extends Features> = Pick<ModelParts<Q, C>, 'queryTower' | 'candidateTower'>;

/** The parameters of the query tower, then those that only the candidate tower has. */
export function parametersOf<Q extends Features, C extends Features>(model: Towers<Q, C>): Matrix[] {
  return [...new Set([...model.queryTower.parameters(), ...model.candidateTower.parameters()])];
}

/** The tables that learn where their ids point (CQR). */
export function clusteringTables<Q extends Features, C extends Features>(model: ModelParts<Q, C>): Cqr[] {
  const tables = tablesOf([...model.queryTower.inputs, ...model.candidateTower.inputs]);
  return tables.filter((table) => table instanceof Cqr);
}

/** The parameters of each feature and of the layers of each tower, under the names by which a group can take them. */
export function namedParameters<Q extends Features, C extends Features>(model: Towers<Q, C>): NamedParameters[] {
  return [...namedIn('queryTower', model.queryTower), ...namedIn('candidateTower', model.candidateTower)];
}

function namedIn<Q extends Features>(towerName: string, tower: Tower<Q>): NamedParameters[] {
  const inputs: readonly TowerInput[] = tower.inputs;
  const features = inputs.flatMap((input, i): NamedParameters[] => {
    const { name, table } = input;
    const bias = tower.biases?.tables[i];
    const names = name === '' ? [towerName] : [name, `${towerName}.${name}`];
    return [
      ...(table ? [{ kind: 'tables' as const, names, matrices: table.trained() }] : []),
      ...(bias ? [{ kind: 'tables' as const, names, matrices: bias.trained() }] : []),
      { kind: 'layers', names, matrices: encoderParameters(input) },
    ];
  });
  const layers = tower.layers.flatMap((layer) => layer.parameters());
  return [...features, { kind: 'layers', names: [], matrices: layers }];
}
