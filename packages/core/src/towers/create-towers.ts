/** Makes both towers of a model from features, with one table for all features that name it. */
import {
  BOOLEAN,
  FUNCTION,
  instanceOf,
  LIST,
  NUMBER,
  OBJECT,
  optionsCheck,
  required,
  STRING,
} from '../checks/options.ts';
import type { OnWarning } from '../checks/warning.ts';
import { FeatureSet } from '../features/feature-set.ts';
import type { RawRowOf } from '../features/raw-row.ts';
import type { FeatureSpecs } from '../features/spec.ts';
import { defaultRuntime, RUNTIME, type Runtime } from '../parallel/runtime.ts';
import { Generator } from '../random/generator.ts';
import { type BiasOwners, newBiases } from './bias-columns.ts';
import { featureInputs } from './feature-inputs.ts';
import { Tower } from './tower.ts';
import type { Features } from './tower-inputs.ts';
import { type FeatureTowerOptions, newLayers } from './tower-options.ts';

/** Options of `createTowers`. */
export interface CreateTowersOptions<Q extends FeatureSpecs = FeatureSpecs, C extends FeatureSpecs = FeatureSpecs> {
  queryTower: FeatureTowerOptions<Q>;
  candidateTower: FeatureTowerOptions<C>;
  /** Learned biases of candidates, or of both sides; default none. The index must then compare by the dot product. */
  biases?: BiasOwners;
  /** Seed of the weights; default 42. */
  seed?: number;
  runtime?: Runtime;
  /** Called with one line where an embedding's budget is above its full table's size; default `console.warn`. */
  onWarning?: OnWarning | undefined;
}

const checkOptions = optionsCheck<CreateTowersOptions>('createTowers', {
  queryTower: required(OBJECT),
  candidateTower: required(OBJECT),
  biases: STRING,
  seed: NUMBER,
  runtime: RUNTIME,
  onWarning: FUNCTION,
});
const checkTower = optionsCheck<FeatureTowerOptions>('a tower', {
  features: required(instanceOf('a FeatureSet', () => FeatureSet)),
  dense: LIST,
  layers: LIST,
  normalize: BOOLEAN,
});

/**
 * New towers of features. Features that name one table share it, also across the towers; all features must have been learned
 * in one call of `learnFeatures`. The types of raw rows are inferred from the specs, unless the caller gives them.
 *
 * @throws {OptionError} when an option is unknown or out of range, or features of one table differ in their words
 */
export function createTowers<Q extends FeatureSpecs, C extends FeatureSpecs>(
  options: CreateTowersOptions<Q, C>,
): { queryTower: Tower<RawRowOf<Q>>; candidateTower: Tower<RawRowOf<C>> };
export function createTowers<Q extends Features, C extends Features>(
  options: CreateTowersOptions,
): { queryTower: Tower<Q>; candidateTower: Tower<C> };
export function createTowers<Q extends Features, C extends Features>(
  options: CreateTowersOptions,
): { queryTower: Tower<Q>; candidateTower: Tower<C> } {
  const {
    queryTower,
    candidateTower,
    biases: of,
    seed = 42,
    runtime = defaultRuntime(),
    onWarning,
  } = checkOptions(options);
  const seeds = new Generator(seed).fork('towers');
  const both = [checkTower(queryTower), checkTower(candidateTower)] as const;
  const inputs = featureInputs(
    both.map(({ features }) => features.features),
    { seeds, runtime, onWarning },
  );
  const [queryParts, candidateParts] = both.map(({ features, normalize = false, ...head }, i) => {
    const layers = newLayers(head, inputs[i]!, seeds, runtime);
    const side = i === 0 ? 'query' : 'candidate';
    const biases = of === undefined ? undefined : newBiases({ side, of }, inputs[i]!, runtime);
    return { features, inputs: inputs[i]!, layers, normalize, runtime, biases };
  });
  return { queryTower: Tower.of<Q>(queryParts!), candidateTower: Tower.of<C>(candidateParts!) };
}
