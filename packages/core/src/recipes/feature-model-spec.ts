/**
 * The spec of a model of two towers over features, as TypeScript or as JSON: the features and layers of each tower, and the
 * settings of training that the search is not to choose.
 */
import { checkInteger, checkPositive, shown } from '../checks/numbers.ts';
import { BOOLEAN, LIST, NUMBER, OBJECT, optionsCheck, required } from '../checks/options.ts';
import { OptionError } from '../errors/errors.ts';
import { checkFeatureSpecs } from '../features/check-spec.ts';
import type { FeatureSpec, FeatureSpecs } from '../features/spec.ts';
import type { LayerSpec } from '../layers/make-layers.ts';

/** One tower: its features by name, and the layers after them. */
export interface TowerSpec {
  features: FeatureSpecs;
  /** Units of dense layers, with ReLU on all but the last; default: one layer of `dimensions`. */
  dense?: readonly number[];
  /** Layers in place of `dense`. */
  layers?: readonly LayerSpec[];
  /** Scale vectors to length 1; default true. */
  normalize?: boolean;
}

/** Two towers over features. */
export interface FeatureModelSpec {
  /**
   * Features of the query. The field `user` is the identifier of the user and `history` the list of the items that the user
   * chose before, the earliest first. Other fields are values of the user.
   */
  queryTower: TowerSpec;
  /** Features of the candidate. The field `item` is the identifier of the item. Other fields are values of the item. */
  candidateTower: TowerSpec;
  /**
   * Width of the vectors of towers without `dense` or `layers`; default that of the table where each tower has one feature and
   * both have one table, else 64.
   */
  dimensions?: number;
  /** Learned biases of the words of items, added to the scores; default false. */
  biases?: boolean;
  /** The temperature of the softmax; default 0.1. */
  temperature?: number;
  /** The learning rate of Adam; default: chosen by the search. */
  learningRate?: number;
  /** Examples of a batch; the negatives of an example are the others. Default 512. */
  batchSize?: number;
}

/** The field of a query with the identifier of the user. */
export const USER_FIELD = 'user';
/** The field of a query with the items that the user chose before. */
export const HISTORY_FIELD = 'history';
/** The field of a candidate with the identifier of the item. */
export const ITEM_FIELD = 'item';
/** The most items of a history whose feature gives no `maxLength`. */
const HISTORY_LENGTH = 50;

const checkSpec = optionsCheck<FeatureModelSpec>('the spec', {
  queryTower: required(OBJECT),
  candidateTower: required(OBJECT),
  dimensions: NUMBER,
  biases: BOOLEAN,
  temperature: NUMBER,
  learningRate: NUMBER,
  batchSize: NUMBER,
});
const TOWER = { features: required(OBJECT), dense: LIST, layers: LIST, normalize: BOOLEAN };
const CHECKS = {
  queryTower: optionsCheck<TowerSpec>('queryTower', TOWER),
  candidateTower: optionsCheck<TowerSpec>('candidateTower', TOWER),
};

/**
 * Check a spec and return it with the length of histories filled in.
 *
 * @throws {OptionError} naming the tower, the feature and the option, and for an unknown name the nearest known one
 */
export function checkFeatureModelSpec(spec: unknown): FeatureModelSpec {
  if (typeof spec !== 'object' || spec === null || Array.isArray(spec)) {
    throw new OptionError(`spec: expected an object with queryTower and candidateTower, got ${shown(spec)}`);
  }
  const checked = checkSpec(spec as FeatureModelSpec);
  for (const [name, check] of Object.entries(CHECKS)) {
    const tower = checked[name as keyof typeof CHECKS];
    check(tower);
    checkFeatureSpecs(tower.features, `${name}.features`);
    if (tower.dense && tower.layers) throw new OptionError(`${name}.layers: expected either dense or layers, got both`);
    tower.dense?.forEach((units, i) => {
      checkInteger(`${name}.dense[${i}]`, units, 1);
    });
  }
  const { queryTower, candidateTower, dimensions, temperature, learningRate, batchSize } = checked;
  const twice = Object.keys(queryTower.features).find((name) => Object.hasOwn(candidateTower.features, name));
  if (twice !== undefined) {
    throw new OptionError(
      `candidateTower.features.${twice}: expected a name that queryTower does not use, got ${shown(twice)} ` +
        '(field says which column a feature reads, so that its name is free)',
    );
  }
  if (dimensions !== undefined) checkInteger('dimensions', dimensions, 1);
  if (temperature !== undefined) checkPositive('temperature', temperature);
  if (learningRate !== undefined) checkPositive('learningRate', learningRate);
  if (batchSize !== undefined) checkInteger('batchSize', batchSize, 1);
  return { ...checked, queryTower: { ...queryTower, features: mapSpecs(queryTower.features, withHistoryLength) } };
}

/** The specs after a function was applied to each. */
export function mapSpecs(specs: FeatureSpecs, map: (spec: FeatureSpec, name: string) => FeatureSpec): FeatureSpecs {
  return Object.fromEntries(Object.entries(specs).map(([name, spec]) => [name, map(spec, name)]));
}

/** The field that a feature reads. */
export function fieldOf(name: string, { field = name }: FeatureSpec): string {
  return field;
}

/**
 * The most items of a history that the features read; undefined where no feature reads histories.
 */
export function historyLength({ queryTower }: FeatureModelSpec): number | undefined {
  const lengths = Object.entries(queryTower.features).flatMap(([name, spec]) =>
    fieldOf(name, spec) === HISTORY_FIELD && 'maxLength' in spec ? (spec.maxLength ?? HISTORY_LENGTH) : [],
  );
  return lengths.length === 0 ? undefined : Math.max(...lengths);
}

function withHistoryLength(spec: FeatureSpec, name: string): FeatureSpec {
  const isHistory = fieldOf(name, spec) === HISTORY_FIELD && (spec.type === 'sequence' || spec.type === 'bag');
  return isHistory && spec.maxLength === undefined ? { ...spec, maxLength: HISTORY_LENGTH } : spec;
}
