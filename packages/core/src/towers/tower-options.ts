/** The options of a tower (its features and the layers after them), and the parts that are made from them. */
import { checkInteger } from '../checks/numbers.ts';
import {
  BOOLEAN,
  FUNCTION,
  LIST,
  NUMBER,
  OBJECT,
  type OptionTypes,
  optionsCheck,
  optionType,
  required,
} from '../checks/options.ts';
import type { OnWarning } from '../checks/warning.ts';
import { type EmbeddingOptions, makeTable } from '../embeddings/make-table.ts';
import { StringLookup } from '../embeddings/string-lookup.ts';
import { OptionError } from '../errors/errors.ts';
import { FeatureSet } from '../features/feature-set.ts';
import type { FeatureSpecs } from '../features/spec.ts';
import type { Layer, LayerFactory } from '../layers/contract.ts';
import { type LayerSpec, makeLayers } from '../layers/make-layers.ts';
import { defaultRuntime, RUNTIME, type Runtime } from '../parallel/runtime.ts';
import { Generator } from '../random/generator.ts';
import { type BiasColumns, type BiasOptions, newBiases } from './bias-columns.ts';
import { featureInputs } from './feature-inputs.ts';
import { embeddedWidth, type FeatureInput, type TowerInput, type WordInput } from './tower-inputs.ts';

/** The options of one word of a tower's rows. */
export interface FeatureOptions {
  /** The words that have an embedding of their own; all other words share the embedding of unknown words. */
  vocabulary: readonly string[];
  /** Width of the embedding; default 32. */
  dimensions?: number;
  /** A word that stands for a missing value; default none. */
  maskToken?: string | null;
  /** The table; default full. */
  embedding?: EmbeddingOptions;
}

/** The layers after the embeddings. */
export interface TowerHead {
  /** Units of dense layers after the embeddings; ReLU on all but the last; default none. */
  dense?: readonly number[];
  /** Layers after the embeddings, in place of `dense`: specs, or functions that make a program's own layers. */
  layers?: readonly (LayerSpec | LayerFactory)[];
  /** Scale vectors to length 1; default false. */
  normalize?: boolean;
  /** Learned biases as columns behind the vectors; default none. The index must then compare by the dot product. */
  biases?: BiasOptions;
  seed?: number;
  runtime?: Runtime;
  /** Called with one line where an embedding's budget is above its full table's size; default `console.warn`. */
  onWarning?: OnWarning | undefined;
}

const FEATURE: OptionTypes<FeatureOptions> = {
  vocabulary: required(LIST),
  dimensions: NUMBER,
  maskToken: optionType('a string or null', (value) => value === null || typeof value === 'string'),
  embedding: OBJECT,
};
const HEAD: OptionTypes<TowerHead> = {
  dense: LIST,
  layers: LIST,
  normalize: BOOLEAN,
  biases: OBJECT,
  seed: NUMBER,
  runtime: RUNTIME,
  onWarning: FUNCTION,
};
const checkPlain = optionsCheck<FeatureOptions & TowerHead>('Tower.create', { ...FEATURE, ...HEAD });
const checkNamed = optionsCheck<{ features: object } & TowerHead>('Tower.create', {
  features: required(OBJECT),
  ...HEAD,
});
const checkFeature = optionsCheck<FeatureOptions>('a feature', FEATURE);

/** The parts of a tower. */
export interface TowerParts<I extends TowerInput = TowerInput> {
  inputs: readonly I[];
  layers: readonly Layer[];
  normalize: boolean;
  runtime: Runtime;
  /** Encodes raw rows; undefined for a tower of words. */
  features?: FeatureSet | undefined;
  biases?: BiasColumns | undefined;
}

/** The parts of a tower whose inputs are features. */
export interface FeatureTowerParts extends TowerParts<FeatureInput> {
  features: FeatureSet;
}

/** True for parts whose inputs are features; the inputs of others are words. */
export function isOfFeatures(parts: TowerParts): parts is FeatureTowerParts {
  return parts.features !== undefined;
}

/** Options of one tower in `createTowers`, which takes the options that both towers share (seed, runtime) itself. */
export interface FeatureTowerOptions<S extends FeatureSpecs = FeatureSpecs>
  extends Pick<TowerHead, 'dense' | 'layers' | 'normalize'> {
  /** The features with what they learned (`learnFeatures`). */
  features: FeatureSet<S>;
}

/** Options of a tower: of one plain word, of named words, or of features. */
export type TowerOptions = (FeatureOptions | { features: FeatureSet | Record<string, FeatureOptions> }) & TowerHead;

/** New parts with random weights, from options as a user wrote them. */
export function createParts(options: TowerOptions): TowerParts {
  const isNamed = typeof options === 'object' && options !== null && 'features' in options;
  if (isNamed) checkNamed(options);
  else checkPlain(options);
  const { normalize = false, seed = 42, runtime = defaultRuntime(), onWarning } = options;
  const seeds = new Generator(seed).fork('tower');
  if ('features' in options && options.features instanceof FeatureSet) {
    const { features } = options;
    const [inputs] = featureInputs([features.features], { seeds, runtime, onWarning });
    const layers = newLayers(options, inputs!, seeds, runtime);
    return {
      features,
      inputs: inputs!,
      layers,
      normalize,
      runtime,
      biases: options.biases && newBiases(options.biases, inputs!, runtime),
    };
  }
  const words = 'features' in options ? (options.features as Record<string, FeatureOptions>) : undefined;
  for (const feature of Object.values(words ?? {})) checkFeature(feature);
  const named = words ? Object.entries(words) : ([['', options as FeatureOptions]] as const);
  if (named.length === 0) throw new OptionError('features: expected at least one, got none');
  const inputs = named.map(([name, feature]): WordInput => {
    const { vocabulary, dimensions = 32, maskToken = null, embedding = { method: 'full' } } = feature;
    const lookup = new StringLookup({ vocabulary, maskToken });
    checkInteger('dimensions', dimensions, 1);
    const context = { vocabularySize: lookup.size, dimensions, seed: seeds.uint32(), runtime, onWarning };
    return { name, lookup, table: makeTable(embedding, context) };
  });
  const layers = newLayers(options, inputs, seeds, runtime);
  return { inputs, layers, normalize, runtime, biases: options.biases && newBiases(options.biases, inputs, runtime) };
}

/** New layers after inputs; those of `dense` have ReLU on all but the last. @throws {OptionError} when both are given */
export function newLayers(
  { dense, layers }: Pick<TowerHead, 'dense' | 'layers'>,
  inputs: readonly TowerInput[],
  seeds: Generator,
  runtime: Runtime,
): Layer[] {
  if (dense && layers) throw new OptionError('layers: expected either dense or layers, got both');
  const width = embeddedWidth(inputs);
  if (layers) return makeLayers(layers, width, seeds, runtime);
  const specs = (dense ?? []).map((units, i): LayerSpec => {
    checkInteger(`dense[${i}]`, units, 1);
    return { kind: 'dense', units, activation: i === dense!.length - 1 ? 'linear' : 'relu' };
  });
  return makeLayers(specs, width, seeds, runtime, 'dense');
}
