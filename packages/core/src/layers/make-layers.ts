/**
 * Makes layers from specs, which are plain JSON, and from a program's own factories, and loads layers from a file. The
 * shapes of neighbours are checked here, before anything is computed.
 */
import { checkInteger } from '../checks/numbers.ts';
import { LIST, NUMBER, type OptionsCheck, optionsCheck, required, STRING } from '../checks/options.ts';
import { OptionError, ShapeError } from '../errors/errors.ts';
import { type Loaders, loadPart, type Part } from '../format/part.ts';
import type { Runtime } from '../parallel/runtime.ts';
import type { Generator } from '../random/generator.ts';
import { Branches, type Join } from './branches.ts';
import type { Layer, LayerContext, LayerFactory } from './contract.ts';
import { type Activation, DenseLayer, type Initializer } from './dense-layer.ts';
import { Dropout } from './dropout.ts';
import { L2Normalize } from './l2-normalize.ts';
import { LAYER_NORM_EPSILON, LayerNorm } from './layer-norm.ts';
import { Sequential } from './sequential.ts';

/** A dense layer; default activation linear, default initializer of the weights glorotUniform. */
export interface DenseSpec {
  kind: 'dense';
  units: number;
  activation?: Activation;
  initializer?: Initializer;
}

/** Layer normalization; default epsilon 0.001, as in Keras. */
export interface LayerNormSpec {
  kind: 'layerNorm';
  epsilon?: number;
}

/** Dropout: the share of numbers that are 0 while training, from 0 to below 1. */
export interface DropoutSpec {
  kind: 'dropout';
  rate: number;
}

/** Rows scaled to length 1. */
export interface L2NormalizeSpec {
  kind: 'l2Normalize';
}

/** Branches whose outputs are added or concatenated; an empty branch is the input itself. */
export interface BranchesSpec {
  kind: Join;
  branches: readonly (readonly (LayerSpec | LayerFactory)[])[];
}

/** One layer, as plain JSON (but for factories in branches). */
export type LayerSpec = DenseSpec | LayerNormSpec | DropoutSpec | L2NormalizeSpec | BranchesSpec;

const KIND = required(STRING);
const CHECKS: Readonly<Record<LayerSpec['kind'], OptionsCheck>> = {
  dense: optionsCheck<DenseSpec>('a dense layer', {
    kind: KIND,
    units: required(NUMBER),
    activation: STRING,
    initializer: STRING,
  }),
  layerNorm: optionsCheck<LayerNormSpec>('a layerNorm layer', { kind: KIND, epsilon: NUMBER }),
  dropout: optionsCheck<DropoutSpec>('a dropout layer', { kind: KIND, rate: required(NUMBER) }),
  l2Normalize: optionsCheck<L2NormalizeSpec>('an l2Normalize layer', { kind: KIND }),
  add: optionsCheck<BranchesSpec>('an add layer', { kind: KIND, branches: required(LIST) }),
  concat: optionsCheck<BranchesSpec>('a concat layer', { kind: KIND, branches: required(LIST) }),
};

/**
 * The layers of a tower whose embeddings have `inputs` columns. Each layer draws one seed.
 *
 * @param name the option that holds the specs, for messages
 * @throws {OptionError} when a spec has an unknown kind or option, or a value is out of range
 * @throws {ShapeError} naming both shapes, when a layer does not take the outputs of the one before
 */
export function makeLayers(
  specs: readonly (LayerSpec | LayerFactory)[],
  inputs: number,
  seeds: Generator,
  runtime: Runtime,
  name = 'layers',
): Layer[] {
  let before = `the embeddings have ${inputs} columns`;
  let width = inputs;
  return specs.map((spec, i) => {
    const place = `${name}[${i}]`;
    const layer = makeLayer(spec, width, { seed: seeds.uint32(), runtime }, seeds, place);
    if (layer.inputs !== width) {
      throw new ShapeError(`${place} (${layer.kind}): expected ${width} inputs, since ${before}, got ${layer.inputs}`);
    }
    if (layer.runtime !== runtime) {
      throw new OptionError(`${place} (${layer.kind}).runtime: expected that of the tower, got a different one`);
    }
    checkInteger(`${place}.outputs`, layer.outputs, 1);
    width = layer.outputs;
    before = `${place} (${layer.kind}) has ${width} outputs`;
    return layer;
  });
}

function makeLayer(
  spec: LayerSpec | LayerFactory,
  inputs: number,
  context: LayerContext,
  seeds: Generator,
  place: string,
): Layer {
  if (typeof spec === 'function') return spec(inputs, context);
  const kinds = Object.keys(CHECKS).join(', ');
  const kind: unknown = (spec as { kind?: unknown } | null | undefined)?.kind;
  if (typeof kind !== 'string' || !Object.hasOwn(CHECKS, kind)) {
    throw new OptionError(`${place}.kind: expected one of ${kinds}, or a function that makes a layer, got ${kind}`);
  }
  CHECKS[spec.kind](spec);
  const { seed, runtime } = context;
  switch (spec.kind) {
    case 'dense':
      return DenseLayer.create(inputs, spec.units, spec.activation ?? 'linear', seed, runtime, spec.initializer);
    case 'layerNorm':
      return LayerNorm.create(inputs, spec.epsilon ?? LAYER_NORM_EPSILON, runtime);
    case 'dropout':
      return new Dropout(inputs, spec.rate, seed, runtime);
    case 'l2Normalize':
      return new L2Normalize(inputs, runtime);
    default: {
      if (spec.branches.length === 0) throw new OptionError(`${place}.branches: expected at least one, got none`);
      const branches = spec.branches.map((layers, i) => {
        const made = makeLayers(layers, inputs, seeds, runtime, `${place}.branches[${i}]`);
        return new Sequential(inputs, made, runtime);
      });
      return new Branches(spec.kind, inputs, branches, runtime);
    }
  }
}

/**
 * The loaders of the layers of this library, and of a program's own.
 *
 * @param own the loader of each kind of the program's own layers
 */
export function layerLoaders(own: Loaders<Layer> = {}): Loaders<Layer> {
  const loaders: Loaders<Layer> = {
    ...own,
    dense: DenseLayer.load,
    layerNorm: LayerNorm.load,
    dropout: Dropout.load,
    l2Normalize: L2Normalize.load,
    add: (part) => loadBranches('add', part),
    concat: (part) => loadBranches('concat', part),
  };
  const loadBranches = (kind: Join, part: Part): Branches => {
    const inputs = part.settings.integer('inputs', { min: 1 });
    const count = part.settings.integer('branches', { min: 1, max: part.partNames().length });
    const branches = Array.from({ length: count }, (_, i) =>
      loadPart(part.part(`branch${i}`), { sequential: (branch) => loadSequential(branch, loaders) }),
    );
    const other = branches.find((branch) => branch.inputs !== inputs);
    if (other) throw part.settings.error('inputs', `expected ${inputs} of each branch, got ${other.inputs}`);
    if (kind === 'add' && branches.some(({ outputs }) => outputs !== branches[0]!.outputs)) {
      throw part.settings.error('branches', 'expected branches with equal numbers of outputs, got different ones');
    }
    return new Branches(kind, inputs, branches, part.runtime);
  };
  return loaders;
}

/** A saved sequence of layers. @throws {FormatError} when its parts do not fit together */
export function loadSequential(part: Part, loaders: Loaders<Layer>): Sequential {
  const inputs = part.settings.integer('inputs', { min: 1 });
  let width = inputs;
  const layers = Array.from({ length: part.settings.integer('layers', { max: part.partNames().length }) }, (_, i) => {
    const layer = loadLayer(part, `layer${i}`, width, loaders);
    width = layer.outputs;
    return layer;
  });
  return new Sequential(inputs, layers, part.runtime);
}

/**
 * A saved layer that takes `inputs` columns.
 *
 * @throws {FormatError} when it takes another number, or is of a kind that has no loader
 */
export function loadLayer(part: Part, name: string, inputs: number, loaders: Loaders<Layer>): Layer {
  const layer = loadPart(part.part(name), loaders);
  if (layer.inputs !== inputs) {
    throw part.settings.error('layers', `expected ${inputs} inputs, got ${layer.inputs} in ${name}`);
  }
  return layer;
}
