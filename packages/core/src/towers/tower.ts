/**
 * A tower turns raw features into one vector. Each feature is looked up and embedded, the embeddings are concatenated,
 * layers may follow, and the result may be scaled to unit length.
 *
 *   vector = normalize?( layer_n( … layer_1( [E_1(f_1) | E_2(f_2) | …] ) ) )
 *
 * Columns of biases may stand behind it (bias-columns.ts).
 *
 * Training works on the distinct rows of a batch (distinct-features.ts): `forward` embeds them; `backward` takes one
 * gradient per distinct row, sums the gradients of each id, and steps tables and layers. The structure is that of the
 * TFRS tutorials' `tf.keras.Sequential([StringLookup, Embedding, …])`.
 */

import { checkArgument } from '../checks/arguments.ts';
import { instanceOf, type OptionType } from '../checks/options.ts';
import type { EmbeddingTable } from '../embeddings/contract.ts';
import { ShapeError } from '../errors/errors.ts';
import type { FeatureSet } from '../features/feature-set.ts';
import type { RawRowOf } from '../features/raw-row.ts';
import type { FeatureSpecs } from '../features/spec.ts';
import type { Loaders, Part } from '../format/part.ts';
import type { Saved } from '../format/saved.ts';
import { columnsMatrix, type Layer, padded } from '../layers/contract.ts';
import { copyColumns } from '../layers/copy-columns.ts';
import { L2Normalize } from '../layers/l2-normalize.ts';
import { backwardThrough, backwardWeightsThrough, forwardThrough } from '../layers/sequential.ts';
import { OPTIMIZER, type SparseOptimizer } from '../optimizers/contract.ts';
import type { Runtime } from '../parallel/runtime.ts';
import { MATRIX, Matrix } from '../vectors/matrix.ts';
import type { BiasColumns } from './bias-columns.ts';
import { EncodedFeatures } from './encoded-features.ts';
import { RowAdder } from './row-sums.ts';
import { loadFeatureTowers, saveFeatureTowers } from './saved-feature-towers.ts';
import { loadParts, saveParts } from './saved-tower.ts';
import { TableGradients } from './table-gradients.ts';
import {
  addGradients,
  embeddedWidth,
  embedInputs,
  encodeFeatures,
  type Features,
  type InputOf,
  type TowerInput,
  trainedParts,
} from './tower-inputs.ts';
import {
  createParts,
  type FeatureOptions,
  isOfFeatures,
  type TowerHead,
  type TowerOptions,
  type TowerParts,
} from './tower-options.ts';

const ENCODED = instanceOf('features from `encode`', () => EncodedFeatures);
const TABLES = instanceOf('TableGradients', () => TableGradients);

/**
 * Rows that `embed` passes through the layers at a time, so that the memory of their outputs does not grow with the rows:
 * with attention over 50 items of 64 dimensions, one output takes 6 MiB.
 */
const EMBEDDED_ROWS = 512;

/** The type of arguments and options that are a tower. */
export const TOWER: OptionType = instanceOf('a Tower', () => Tower);

/** A trainable model that turns raw features of type Q into vectors. */
export class Tower<Q extends Features = string> {
  readonly inputs: readonly InputOf<Q>[];
  readonly layers: readonly Layer[];
  readonly normalize: boolean;
  /** The features of the inputs; undefined for a tower of words. */
  readonly features: FeatureSet | undefined;
  /** Columns of the vectors, with those of biases. */
  readonly dimensions: number;
  /** The columns of biases behind the vectors; undefined without. */
  readonly biases: BiasColumns | undefined;
  readonly runtime: Runtime;
  /** Features and embeddings of the last `forward`, kept for `backward`. */
  #features: EncodedFeatures = new EncodedFeatures(0, []);
  #embedded: Matrix | undefined;
  /** Vectors of the last `forward` with their biases. */
  #biased: Matrix | undefined;
  #vectors: Matrix | undefined;
  readonly #adder: RowAdder;
  /** The layers, and the normalization after them. */
  readonly #chain: readonly Layer[];

  /** A tower of given parts; `create` makes one with new parts. */
  constructor(
    inputs: readonly InputOf<Q>[],
    layers: readonly Layer[],
    normalize: boolean,
    runtime: Runtime,
    features?: FeatureSet,
    biases?: BiasColumns,
  ) {
    this.inputs = inputs;
    this.layers = layers;
    this.normalize = normalize;
    this.features = features;
    this.runtime = runtime;
    this.#adder = new RowAdder(runtime);
    this.biases = biases;
    const width = layers.at(-1)?.outputs ?? embeddedWidth(inputs);
    this.dimensions = width + (biases?.count ?? 0);
    this.#chain = normalize ? [...layers, new L2Normalize(width, runtime)] : layers;
  }

  /** A tower of given parts. Q is the type of its rows, which cannot be inferred from the parts. */
  static of<Q extends Features>({ inputs, layers, normalize, runtime, features, biases }: TowerParts): Tower<Q> {
    return new Tower<Q>(inputs as readonly InputOf<Q>[], layers, normalize, runtime, features, biases);
  }

  /** Columns of the vectors without those of biases. */
  get vectorDimensions(): number {
    return this.dimensions - (this.biases?.count ?? 0);
  }

  /**
   * A new tower of one plain word, of named words, or of features that have learned their vocabularies. `createTowers`
   * makes two towers that share tables.
   *
   * @throws {VocabularyError} when a vocabulary has an empty, repeated or reserved word
   * @throws {OptionError} when a number is out of range
   */
  static create(options: FeatureOptions & TowerHead): Tower<string>;
  static create<N extends string>(
    options: { features: Record<N, FeatureOptions> } & TowerHead,
  ): Tower<Readonly<Record<N, string>>>;
  static create<S extends FeatureSpecs>(options: { features: FeatureSet<S> } & TowerHead): Tower<RawRowOf<S>>;
  static create<F extends Features>(options: { features: FeatureSet } & TowerHead): Tower<F>;
  static create(options: TowerOptions): Tower<never> {
    return Tower.of<never>(createParts(options));
  }

  /**
   * Encode raw features. A tower with one named word, or of features that read one field, also accepts the value
   * itself.
   *
   * @throws {OptionError} naming the word that is missing or not a string
   * @throws {FeatureError} for a tower of features, with the first ten values that do not fit the spec
   */
  encode(features: readonly Q[]): EncodedFeatures {
    return encodeFeatures(this, features);
  }

  /**
   * Vectors of encoded rows, [rows, dimensions rounded up to 4]; padding is 0. Valid until the next call.
   *
   * @param trainingStep the number of the step while training, from which dropout draws; default none: no dropout
   */
  forward(features: EncodedFeatures, trainingStep?: number): Matrix {
    this.#features = checkArgument('features', features, ENCODED);
    this.#embedded?.free();
    const width = embeddedWidth(this.inputs);
    const embedded = columnsMatrix(features.rows, width, this.runtime);
    this.#embedded = embedInputs(this.inputs, features, this.#adder, embedded, trainingStep);
    const vectors = forwardThrough(this.#chain, this.#embedded, trainingStep);
    if (!this.biases) return vectors;
    this.#biased?.free();
    this.#biased = this.biases.behind(vectors, this.vectorDimensions, this.inputs, features, this.#adder);
    return this.#biased;
  }

  /**
   * Step tables and layers by the gradients of the rows of the last `forward`, which were distinct: [rows, dimensions].
   *
   * @param tables collects the gradients of tables that several towers share; the caller then calls its `step`.
   * Default: this method steps the tables
   *
   * @throws {ShapeError} when there is not one gradient per row
   */
  backward(gradients: Matrix, optimizer: SparseOptimizer, tables?: TableGradients): void {
    const { rows } = this.#features;
    checkArgument('gradients', gradients, MATRIX);
    checkArgument('optimizer', optimizer, OPTIMIZER);
    if (tables !== undefined) checkArgument('tables', tables, TABLES);
    if (gradients.rows !== rows) throw new ShapeError(`gradients: expected ${rows} rows, got ${gradients.rows}`);
    const all = tables ?? new TableGradients();
    const own = this.#withoutBiases(gradients, all);
    if (this.inputs.every(({ table, projection }) => !table && !projection)) {
      backwardWeightsThrough(this.#chain, own, optimizer);
      if (own !== gradients) own.free();
      return;
    }
    const gradient = backwardThrough(this.#chain, own, optimizer);
    addGradients(this.inputs, this.#features, gradient, this.#adder, optimizer, all);
    if (gradient !== gradients) all.hold(gradient);
    if (own !== gradients && own !== gradient) own.free();
    if (!tables) all.step(optimizer);
  }

  /** The gradient of the vectors without the columns of biases, whose gradients go to `tables`. */
  #withoutBiases(gradients: Matrix, tables: TableGradients): Matrix {
    if (!this.biases) return gradients;
    const width = this.vectorDimensions;
    this.biases.addGradients(gradients, width, this.inputs, this.#features, tables);
    const own = new Matrix(gradients.rows, padded(width), this.runtime);
    copyColumns(gradients, 0, own, 0, width);
    return own;
  }

  /** Vectors of raw features, [rows, dimensions]; valid until the next call. */
  embed(features: readonly Q[]): Matrix {
    return this.embedEncoded(this.encode(features));
  }

  /** `embed` of features that `encode` has encoded. */
  embedEncoded(encoded: EncodedFeatures): Matrix {
    const { rows } = checkArgument('features', encoded, ENCODED);
    const inputs: readonly TowerInput[] = this.inputs;
    const hasLayers = this.layers.length > 0 || inputs.some(({ attention }) => attention);
    const exact = !hasLayers && !this.normalize && !this.biases;
    if (this.#vectors?.rows !== rows) {
      this.#vectors?.free();
      this.#vectors = new Matrix(rows, this.dimensions, this.runtime);
    }
    const vectors = this.#vectors;
    if (exact) return embedInputs(this.inputs, encoded, this.#adder, vectors);
    for (let first = 0; first < rows; first += EMBEDDED_ROWS) {
      const output = this.forward(encoded.slice(first, Math.min(rows, first + EMBEDDED_ROWS)));
      for (let i = 0; i < output.rows; i++) vectors.row(first + i).set(output.row(i).subarray(0, this.dimensions));
    }
    return vectors;
  }

  /**
   * The saved form of features, tables and layers. Towers that share tables are saved together (saveFeatureTowers).
   *
   * @throws {StateError} while a `fit` trains the tower, except during its callbacks
   */
  save(): Saved {
    return isOfFeatures(this) ? saveFeatureTowers({ tower: this }) : saveParts(this);
  }

  /**
   * Load a saved tower of words or of features.
   *
   * @param tables the loaders of all kinds of tables
   * @param layers the loaders of the program's own kinds of layers
   * @throws {FormatError} when its parts do not fit together
   */
  static load<Q extends Features>(part: Part, tables: Loaders<EmbeddingTable>, layers: Loaders<Layer> = {}): Tower<Q> {
    if (part.kind !== 'feature-towers') return Tower.of<Q>(loadParts(part, tables, layers));
    const towers = loadFeatureTowers(part, tables, layers);
    const names = Object.keys(towers);
    if (names.join() !== 'tower') throw part.refusal(`towers: expected one called tower, got ${names.join(', ')}`);
    return Tower.of<Q>(towers.tower!);
  }

  /**
   * The first place of the last `forward` whose numbers are not all finite: 'feature age', 'layers[1] (dense)'; undefined
   * where all are.
   */
  notFinite(): string | undefined {
    const embedded = this.#embedded;
    if (!embedded) return undefined;
    let from = 0;
    for (const input of this.inputs) {
      const to = from + embeddedWidth([input]);
      if (hasNotFinite(embedded, from, to)) return input.name === '' ? 'the embeddings' : `feature ${input.name}`;
      from = to;
    }
    let output = embedded;
    for (const [i, layer] of this.#chain.entries()) {
      output = layer.forward(output);
      if (hasNotFinite(output, 0, layer.outputs)) return `layers[${i}] (${layer.kind})`;
    }
    const biased = this.#biased;
    return biased && hasNotFinite(biased, this.vectorDimensions, this.dimensions) ? 'the biases' : undefined;
  }

  /** Every trained matrix, in a fixed order. */
  parameters(): Matrix[] {
    const layers = this.layers.flatMap((layer) => layer.parameters());
    return [...trainedParts(this.inputs), ...layers, ...(this.biases?.parameters() ?? [])];
  }
}

/** True where a number of the columns from … to − 1 is NaN or infinite. */
function hasNotFinite(matrix: Matrix, from: number, to: number): boolean {
  for (let i = 0; i < matrix.rows; i++) {
    if (!matrix.row(i).subarray(from, to).every(Number.isFinite)) return true;
  }
  return false;
}
