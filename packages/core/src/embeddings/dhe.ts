/**
 * DHE, deep hash embeddings: there is no table; a small network computes the vector from many hashes of the id, scaled
 * to [−1, 1].
 *
 *   x_j(i) = 2·h_j(i) / (m − 1) − 1,   j < w;   vector(i) = W_3 · relu(W_2 · relu(W_1 · x + b_1) + b_2) + b_3
 *
 * Source: Kang et al., "Learning to embed categorical features without embedding tables", KDD 2021; with a fixed budget
 * as in the CCE paper: two hidden layers, and as many hashes as units. Limits: every step changes every weight, and a
 * lookup costs 2·w² + w·d multiplications; as with all dense layers, the last bits may differ between kinds of machines
 * (docs/decisions/same-bits-everywhere.md). Letters: w hashes and hidden units, m values of a hash.
 */
import { optionsCheck, STRING } from '../checks/options.ts';
import { loadPart, type Part } from '../format/part.ts';
import { bytesOf, type Saved, savedBytes } from '../format/saved.ts';
import { padded } from '../layers/contract.ts';
import { DenseLayer } from '../layers/dense-layer.ts';
import { backwardWeightsThrough, forwardThrough } from '../layers/sequential.ts';
import { Scratch } from '../memory/scratch.ts';
import type { SparseOptimizer } from '../optimizers/contract.ts';
import type { Runtime } from '../parallel/runtime.ts';
import { Generator } from '../random/generator.ts';
import { Matrix } from '../vectors/matrix.ts';
import { affordRows, BUDGET, type Budget, type WithMethod } from './budget.ts';
import type { EmbeddingTable } from './contract.ts';
import { HASH_WORDS_BYTES, HashFamily } from './hash-family.ts';
import { checkGradientCall, checkIds, checkRowsCall } from './ids.ts';
import { checkContext, type TableContext } from './table-context.ts';

/** Number of values of a hash: 10⁶, as in the paper. */
const HASH_VALUES = 1_000_000;
/** The most hashes and hidden units: 1,024, as in the paper. */
const WIDTH_MAX = 1024;

/** Options of deep hash embeddings. */
export type DheOptions = Budget;

const checkOptions = optionsCheck<WithMethod<DheOptions>>('embedding (dhe)', { ...BUDGET, method: STRING });

/** A table that is computed by hashes and a network of three layers. */
export class Dhe implements EmbeddingTable {
  readonly method = 'dhe';
  readonly vocabularySize: number;
  readonly dimensions: number;
  readonly layers: readonly DenseLayer[];
  readonly #runtime: Runtime;
  readonly #hashes: HashFamily;
  readonly #scratch: Scratch;

  private constructor(vocabularySize: number, layers: readonly DenseLayer[], hashes: HashFamily) {
    this.vocabularySize = vocabularySize;
    this.dimensions = layers.at(-1)!.units;
    this.layers = layers;
    this.#runtime = layers[0]!.weights.runtime;
    this.#hashes = hashes;
    this.#scratch = new Scratch(this.#runtime.heap);
  }

  /** A new table. @throws {OptionError} when the budget is too small for a network of width 4 */
  static create(options: DheOptions, context: TableContext): Dhe {
    checkOptions(options);
    const { vocabularySize, dimensions, seed, runtime } = checkContext(context);
    const width = widthFor(options, context);
    const generator = new Generator(seed);
    const seeds = generator.fork('layers');
    const layers = [
      DenseLayer.create(width, width, 'relu', seeds.uint32(), runtime),
      DenseLayer.create(width, width, 'relu', seeds.uint32(), runtime),
      DenseLayer.create(width, dimensions, 'linear', seeds.uint32(), runtime),
    ];
    const ranges = Array.from({ length: width }, () => ({ base: 0, rows: HASH_VALUES }));
    return new Dhe(vocabularySize, layers, HashFamily.draw(ranges, generator.fork('hashes'), runtime));
  }

  get parameters(): number {
    return this.layers.reduce((sum, { weights }) => sum + weights.rows * weights.dimensions, 0);
  }

  trained(): Matrix[] {
    return this.layers.map(({ weights }) => weights);
  }

  rows(ids: Int32Array, out: Matrix): void {
    checkRowsCall(this, ids, out);
    const { input, output } = this.#forward(ids);
    const d = this.dimensions;
    const [from, to] = [output.data, out.data];
    for (let i = 0; i < ids.length; i++) {
      for (let t = 0; t < d; t++) to[i * out.dimensions + t] = from[i * output.dimensions + t]!;
    }
    input.free();
  }

  applyGradient(ids: Int32Array, gradients: Matrix, optimizer: SparseOptimizer): void {
    checkGradientCall(this, ids, gradients, optimizer);
    const { input } = this.#forward(ids);
    backwardWeightsThrough(this.layers, gradients, optimizer);
    input.free();
  }

  sizeBytes(): number {
    return savedBytes(this.save());
  }

  save(): Saved {
    const { method, vocabularySize, dimensions, layers } = this;
    const parts = Object.fromEntries(layers.map((layer, i) => [`layer${i}`, layer.save()]));
    const settings = { vocabularySize, dimensions, width: this.#hashes.terms };
    return { kind: method, settings, sections: [{ name: 'hashes', bytes: bytesOf(this.#hashes.words()) }], parts };
  }

  /** Load a saved table. @throws {FormatError} when its layers do not fit together */
  static load(part: Part): Dhe {
    const { settings } = part;
    const vocabularySize = settings.integer('vocabularySize', { min: 1 });
    const dimensions = settings.integer('dimensions', { min: 1 });
    const width = settings.integer('width', { min: 1, max: WIDTH_MAX });
    const layers = [0, 1, 2].map((i) => loadPart(part.part(`layer${i}`), { dense: DenseLayer.load }));
    layers.forEach(({ inputs, units }, i) => {
      const wanted = i === 2 ? dimensions : width;
      if (inputs === width && units === wanted) return;
      throw settings.error('width', `expected layer ${i} from ${width} to ${wanted}, got from ${inputs} to ${units}`);
    });
    return new Dhe(vocabularySize, layers, HashFamily.load(part, width, HASH_VALUES));
  }

  #forward(ids: Int32Array): { input: Matrix; output: Matrix } {
    checkIds(ids, this.vocabularySize);
    const { terms } = this.#hashes;
    const block = this.#scratch.reserve(4 * ids.length * (terms + 1));
    block.integers(ids.length).set(ids);
    this.#hashes.write(this.#runtime, block.offset, ids.length, block.offset + 4 * ids.length);
    const hashed = block.integers(ids.length * terms, 4 * ids.length);
    const input = new Matrix(ids.length, padded(terms), this.#runtime);
    const { data } = input;
    for (let i = 0; i < ids.length; i++) {
      for (let j = 0; j < terms; j++) {
        data[i * input.dimensions + j] = (2 * hashed[i * terms + j]!) / (HASH_VALUES - 1) - 1;
      }
    }
    return { input, output: forwardThrough(this.layers, input) };
  }
}

/** The width of the widest network that a budget allows, a multiple of 4. */
function widthFor(budget: Budget, context: TableContext): number {
  const parameters = (fours: number): number =>
    2 * (4 * fours + 1) * 4 * fours + (4 * fours + 1) * padded(context.dimensions);
  const otherBytes = (fours: number): number => 4 * fours * HASH_WORDS_BYTES;
  return 4 * affordRows('dhe', budget, { parameters, otherBytes, rowsMax: WIDTH_MAX / 4 }, context);
}
