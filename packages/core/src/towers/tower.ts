/**
 * A tower: raw features to one vector. Each feature is looked up and embedded, the embeddings stand side by side, dense
 * layers may follow, and the result may be scaled to unit length.
 *
 *   vector = normalize?( dense_n( … dense_1( [E_1(f_1) | E_2(f_2) | …] ) ) )
 *
 * Training works on the distinct rows of a batch (distinct.ts): `forward` embeds them, `backward` takes one gradient a
 * distinct row, sums what belongs to the same id, and steps tables and layers. Source of the shape: the TFRS tutorials'
 * `tf.keras.Sequential([StringLookup, Embedding, …])`.
 */

import { checkInteger, shown } from '../checks/numbers.ts';
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
import type { EmbeddingTable } from '../embeddings/contract.ts';
import { type EmbeddingOptions, makeTable } from '../embeddings/make-table.ts';
import { StringLookup } from '../embeddings/string-lookup.ts';
import { checkSavable } from '../embeddings/table-lock.ts';
import { OptionError, ShapeError } from '../errors/errors.ts';
import { type Loaders, loadPart, type Part } from '../format/part.ts';
import type { Saved } from '../format/saved.ts';
import { DenseLayer, padded } from '../layers/dense-layer.ts';
import type { SparseOptimizer } from '../optimizers/contract.ts';
import { defaultRuntime, RUNTIME, type Runtime } from '../parallel/runtime.ts';
import { Generator } from '../random/generator.ts';
import { Matrix } from '../vectors/matrix.ts';
import { type DistinctFeatures, distinctFeatures } from './distinct-features.ts';
import { denormalizeGradient, normalizeRows } from './normalize.ts';

/** Raw features of one row: a word, or named words. */
export type Features = string | Readonly<Record<string, string>>;

/** One feature of a tower. */
export interface FeatureOptions {
  /** The words that get a row each; all others share the row of unknown words. */
  vocabulary: readonly string[];
  /** Width of the embedding; default 32. */
  dimensions?: number;
  /** A word that means "nothing here"; default none. */
  maskToken?: string | null;
  /** The table; default full. */
  embedding?: EmbeddingOptions;
}

/** What follows the embeddings. */
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

/** An embedded feature; the name is empty for a tower of one plain feature. */
export interface TowerInput {
  name: string;
  lookup: StringLookup;
  table: EmbeddingTable;
}

/** Turns raw features of type Q into vectors, and learns. */
export class Tower<Q extends Features = string> {
  readonly inputs: readonly TowerInput[];
  readonly layers: readonly DenseLayer[];
  readonly normalize: boolean;
  readonly dimensions: number;
  readonly runtime: Runtime;
  /** Distinct ids and embeddings of the last `forward`, kept for `backward`. */
  #ids: Int32Array = new Int32Array(0);
  #embedded: Matrix | undefined;
  #output: Matrix | undefined;
  #lengths: Float32Array | undefined;
  #answer: Matrix | undefined;

  /** From parts, as `load` has them; `create` makes new ones. */
  constructor(inputs: readonly TowerInput[], layers: readonly DenseLayer[], normalize: boolean, runtime: Runtime) {
    this.inputs = inputs;
    this.layers = layers;
    this.normalize = normalize;
    this.runtime = runtime;
    this.dimensions = layers.at(-1)?.units ?? this.#embeddedWidth;
  }

  /**
   * A new tower of one plain feature, or of named ones.
   *
   * @throws {VocabularyError} when a vocabulary has an empty, repeated or reserved word
   * @throws {OptionError} when a number is out of range
   */
  static create(options: FeatureOptions & TowerHead): Tower<string>;
  static create<N extends string>(
    options: { features: Record<N, FeatureOptions> } & TowerHead,
  ): Tower<Readonly<Record<N, string>>>;
  static create(options: (FeatureOptions | { features: Record<string, FeatureOptions> }) & TowerHead): Tower<never> {
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
    let width = inputs.reduce((sum, { table }) => sum + table.dimensions, 0);
    const layers = dense.map((units, i) => {
      checkInteger(`dense[${i}]`, units, 1);
      const activation = i === dense.length - 1 ? 'linear' : 'relu';
      const layer = DenseLayer.create(width, units, activation, seeds.uint32(), runtime);
      width = units;
      return layer;
    });
    return new Tower<never>(inputs, layers, normalize, runtime);
  }

  /**
   * The ids of raw features, [rows, inputs]. A tower of one named feature takes the word itself, too.
   *
   * @throws {OptionError} naming the feature that is missing or not a string
   */
  encode(features: readonly Q[]): Int32Array {
    const width = this.inputs.length;
    const plain = width === 1 && this.inputs[0]!.name === '';
    if (plain) return this.inputs[0]!.lookup.encode(features as readonly string[]);
    const ids = new Int32Array(features.length * width);
    this.inputs.forEach(({ name, lookup }, column) => {
      const words = features.map((row, position) => wordOf(row, name, width, position));
      lookup.encode(words).forEach((id, row) => {
        ids[row * width + column] = id;
      });
    });
    return ids;
  }

  /** The distinct rows of encoded features. */
  distinct(encoded: Int32Array): DistinctFeatures {
    return distinctFeatures(
      encoded,
      this.inputs.map(({ table }) => table.vocabularySize),
    );
  }

  /**
   * Vectors of encoded rows, [rows, dimensions rounded up to 4]; padding is 0. Valid until the next call.
   */
  forward(ids: Int32Array): Matrix {
    const rows = ids.length / this.inputs.length;
    this.#ids = ids;
    this.#embedded?.free();
    this.#embedded = this.#embed(ids, new Matrix(rows, padded(this.#embeddedWidth), this.runtime));
    let output = this.#embedded;
    for (const layer of this.layers) output = layer.forward(output);
    if (this.normalize) this.#lengths = normalizeRows(output, this.dimensions);
    this.#output = output;
    return output;
  }

  /**
   * Step everything by the gradients of the last `forward`'s rows.
   *
   * @throws {ShapeError} when there is not one gradient a row
   */
  backward(gradients: Matrix, optimizer: SparseOptimizer): void {
    const rows = this.#ids.length / this.inputs.length;
    if (gradients.rows !== rows) throw new ShapeError(`gradients: expected ${rows} rows, got ${gradients.rows}`);
    if (this.normalize) denormalizeGradient(gradients, this.#output!, this.#lengths!, this.dimensions);
    let gradient = gradients;
    for (const layer of this.layers.toReversed()) {
      const next = layer.backward(gradient, optimizer);
      if (gradient !== gradients) gradient.free();
      gradient = next;
    }
    let from = 0;
    this.inputs.forEach(({ table }, column) => {
      this.#step(table, column, gradient, from, optimizer);
      from += table.dimensions;
    });
    if (gradient !== gradients) gradient.free();
  }

  /** Vectors of raw features, [rows, dimensions]; valid until the next call. */
  embed(features: readonly Q[]): Matrix {
    const ids = this.encode(features);
    const exact = this.layers.length === 0 && !this.normalize;
    if (this.#answer?.rows !== features.length) {
      this.#answer?.free();
      this.#answer = new Matrix(features.length, this.dimensions, this.runtime);
    }
    const answer = this.#answer;
    if (exact) return this.#embed(ids, answer);
    const output = this.forward(ids);
    for (let i = 0; i < features.length; i++) answer.row(i).set(output.row(i).subarray(0, this.dimensions));
    return answer;
  }

  /**
   * Lookups, tables and layers as they are.
   *
   * @throws {StateError} while a `fit` trains the tower, but for the time of its callbacks
   */
  save(): Saved {
    checkSavable(this.inputs.map(({ table }) => table));
    const parts: Record<string, Saved> = {};
    this.inputs.forEach(({ lookup, table }, i) => {
      parts[`lookup${i}`] = lookup.save();
      parts[`table${i}`] = table.save();
    });
    this.layers.forEach((layer, i) => {
      parts[`dense${i}`] = layer.save();
    });
    const features = this.inputs.map(({ name }) => name);
    const settings = { features, layers: this.layers.length, normalize: this.normalize };
    return { kind: 'tower', settings, sections: [], parts };
  }

  /**
   * The tower that was saved.
   *
   * @param tables every kind of table
   * @throws {FormatError} when its parts do not fit together
   */
  static load<Q extends Features>(part: Part, tables: Loaders<EmbeddingTable>): Tower<Q> {
    const { settings, runtime } = part;
    const features = settings.strings('features');
    if (features.length === 0) throw settings.error('features', 'expected at least one, got none');
    const inputs = features.map((name, i): TowerInput => {
      const lookup = loadPart(part.part(`lookup${i}`), { 'string-lookup': StringLookup.load });
      const table = loadPart(part.part(`table${i}`), tables);
      if (table.vocabularySize !== lookup.size) {
        throw settings.error('features', `expected ${lookup.size} ids in table ${i}, got ${table.vocabularySize}`);
      }
      return { name, lookup, table };
    });
    let width = inputs.reduce((sum, { table }) => sum + table.dimensions, 0);
    const layers = Array.from({ length: settings.integer('layers', { max: part.partNames().length }) }, (_, i) => {
      const layer = loadPart(part.part(`dense${i}`), { dense: DenseLayer.load });
      if (layer.inputs !== width)
        throw settings.error('layers', `expected ${width} inputs, got ${layer.inputs} in ${i}`);
      width = layer.units;
      return layer;
    });
    return new Tower<Q>(inputs, layers, settings.boolean('normalize'), runtime);
  }

  /** Every trained matrix, in a fixed order. */
  parameters(): Matrix[] {
    return [...this.inputs.flatMap(({ table }) => table.trained()), ...this.layers.map(({ weights }) => weights)];
  }

  get #embeddedWidth(): number {
    return this.inputs.reduce((sum, { table }) => sum + table.dimensions, 0);
  }

  #embed(ids: Int32Array, out: Matrix): Matrix {
    if (this.inputs.length === 1) {
      this.inputs[0]!.table.rows(ids, out);
      return out;
    }
    let from = 0;
    this.inputs.forEach(({ table }, column) => {
      const part = new Matrix(out.rows, table.dimensions, this.runtime);
      table.rows(this.#column(ids, column), part);
      for (let i = 0; i < out.rows; i++) out.row(i).set(part.row(i), from);
      part.free();
      from += table.dimensions;
    });
    return out;
  }

  #column(ids: Int32Array, column: number): Int32Array {
    const width = this.inputs.length;
    return Int32Array.from({ length: ids.length / width }, (_, row) => ids[row * width + column]!);
  }

  /** One table's step. With several features distinct rows may share an id: their gradients are summed first. */
  #step(table: EmbeddingTable, column: number, gradient: Matrix, from: number, optimizer: SparseOptimizer): void {
    if (this.inputs.length === 1) {
      table.applyGradient(this.#ids, gradient, optimizer);
      return;
    }
    const { ids, count, groupOf } = distinctFeatures(this.#column(this.#ids, column), [table.vocabularySize]);
    const summed = new Matrix(count, table.dimensions, this.runtime);
    const [source, target] = [gradient.data, summed.data];
    groupOf.forEach((group, row) => {
      for (let t = 0; t < table.dimensions; t++) {
        const at = group * table.dimensions + t;
        target[at] = target[at]! + source[row * gradient.dimensions + from + t]!;
      }
    });
    table.applyGradient(ids, summed, optimizer);
    summed.free();
  }
}

/** The word of a named feature of one row. */
function wordOf(row: unknown, name: string, width: number, position: number): string {
  if (width === 1 && typeof row === 'string') return row;
  const isObject = typeof row === 'object' && row !== null;
  // Own properties alone: a feature may be called `constructor`.
  const word: unknown = isObject && Object.hasOwn(row, name) ? (row as Record<string, unknown>)[name] : undefined;
  if (typeof word === 'string') return word;
  const got = isObject ? shown(word) : shown(row);
  throw new OptionError(`features.${name}: expected a string, got ${got} at position ${position}`);
}
