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
import { DenseLayer } from '../layers/dense-layer.ts';
import { defaultRuntime, RUNTIME, type Runtime } from '../parallel/runtime.ts';
import { Generator } from '../random/generator.ts';
import { embeddedWidth, type TowerInput } from './tower-inputs.ts';

/** One feature of a tower. */
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
  /** Scale vectors to length 1; default false. */
  normalize?: boolean;
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
  normalize: BOOLEAN,
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
export interface TowerParts {
  inputs: readonly TowerInput[];
  layers: readonly DenseLayer[];
  normalize: boolean;
  runtime: Runtime;
}

/** Options of a tower: of one plain feature, or of named ones. */
export type TowerOptions = (FeatureOptions | { features: Record<string, FeatureOptions> }) & TowerHead;

/** New parts with random weights, from options as a user wrote them. */
export function createParts(options: TowerOptions): TowerParts {
  const isNamed = typeof options === 'object' && options !== null && 'features' in options;
  if (isNamed) checkNamed(options);
  else checkPlain(options);
  const { dense = [], normalize = false, seed = 42, runtime = defaultRuntime(), onWarning } = options;
  const named = 'features' in options ? Object.entries(options.features) : ([['', options]] as const);
  if ('features' in options) for (const feature of Object.values(options.features)) checkFeature(feature);
  if (named.length === 0) throw new OptionError('features: expected at least one, got none');
  const seeds = new Generator(seed).fork('tower');
  const inputs = named.map(([name, feature]): TowerInput => {
    const { vocabulary, dimensions = 32, maskToken = null, embedding = { method: 'full' } } = feature;
    const lookup = new StringLookup({ vocabulary, maskToken });
    checkInteger('dimensions', dimensions, 1);
    const context = { vocabularySize: lookup.size, dimensions, seed: seeds.uint32(), runtime, onWarning };
    return { name, lookup, table: makeTable(embedding, context) };
  });
  let width = embeddedWidth(inputs);
  const layers = dense.map((units, i) => {
    checkInteger(`dense[${i}]`, units, 1);
    const activation = i === dense.length - 1 ? 'linear' : 'relu';
    const layer = DenseLayer.create(width, units, activation, seeds.uint32(), runtime);
    width = units;
    return layer;
  });
  return { inputs, layers, normalize, runtime };
}
