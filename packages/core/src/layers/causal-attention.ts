/**
 * Causal self-attention: each item of a sequence takes a weighted mean of the values of the items up to itself.
 *
 *   [q | k | v] = x;   p_ij = softmax over j ≤ i of ⟨q_i, k_j⟩ / √w;   y_i = Σ_j p_ij · v_j
 *
 * Each head does so with its own columns, w of each of q, k and v; the outputs of the heads stand side by side. The layer has
 * no weights: a dense layer before it computes q, k and v.
 *
 * The rows of x are those of sequences of any lengths, one after another, so that padding costs nothing. The rows of y are
 * the same, or with `lastOnly` one for each sequence: that of its last item, and 0 for an empty sequence.
 *
 * Sources: Vaswani et al., "Attention Is All You Need", NeurIPS 2017, equation 1; Kang and McAuley, "Self-Attentive
 * Sequential Recommendation", ICDM 2018, section 3.2. Formulas of the gradient: assembly/attention.ts.
 */
import { checkInteger } from '../checks/numbers.ts';
import { OptionError, ShapeError } from '../errors/errors.ts';
import type { Part } from '../format/part.ts';
import type { Saved } from '../format/saved.ts';
import { Scratch } from '../memory/scratch.ts';
import type { SparseOptimizer } from '../optimizers/contract.ts';
import { modelPool } from '../parallel/model-pool.ts';
import type { Runtime } from '../parallel/runtime.ts';
import type { Matrix } from '../vectors/matrix.ts';
import { unfilledMatrix } from '../vectors/unfilled.ts';
import { checkBackward, checkForward } from './check-passes.ts';
import { columnsMatrix, type Layer, padded, withRows } from './contract.ts';

/** Sequences that a thread claims at a time: short histories take less than a microsecond each. */
const GRAIN_SEQUENCES = 8;

/** The places of sequences among the rows that pass through layers. The layers of one chain share it; it is set before `forward`. */
export interface Sequences {
  /** [sequences + 1] ascending from 0: the rows of sequence s are offsets[s] … offsets[s + 1] − 1; it may have none. */
  offsets: Int32Array;
}

/** The fields of both kernels. */
interface AttentionCall {
  readonly x: number;
  readonly stride: number;
  readonly offsets: number;
  readonly heads: number;
  readonly width: number;
  readonly scale: number;
  readonly lastOnly: number;
  readonly scratch: number;
  readonly scratchStride: number;
}

/** Causal self-attention. It has no weights. */
export class CausalAttention implements Layer {
  readonly kind = 'causalAttention';
  /** Columns of q, k and v together. */
  readonly inputs: number;
  readonly outputs: number;
  readonly heads: number;
  /** True where y has one row for each sequence. */
  readonly lastOnly: boolean;
  readonly runtime: Runtime;
  readonly #sequences: Sequences;
  readonly #scratch: Scratch;
  /** x and the offsets of the last `forward`. */
  #x: Matrix | undefined;
  #offsets: Int32Array = Int32Array.of(0);
  #y: Matrix | undefined;

  /** @throws {OptionError} when the columns are not three parts of whole heads */
  constructor(inputs: number, heads: number, sequences: Sequences, runtime: Runtime, lastOnly = false) {
    checkInteger('heads', heads, 1);
    if (checkInteger('inputs', inputs, 3) % (3 * heads) !== 0) {
      throw new OptionError(
        `inputs: expected a multiple of ${3 * heads}, for q, k and v of ${heads} heads, got ${inputs}`,
      );
    }
    this.inputs = inputs;
    this.outputs = inputs / 3;
    this.heads = heads;
    this.lastOnly = lastOnly;
    this.runtime = runtime;
    this.#sequences = sequences;
    this.#scratch = new Scratch(runtime.heap);
  }

  save(): Saved {
    const { inputs, heads, lastOnly } = this;
    return { kind: this.kind, settings: { inputs, heads, lastOnly }, sections: [] };
  }

  /** Load a saved layer. @throws {FormatError} when a setting is out of range */
  static load({ settings, runtime }: Part, sequences: Sequences): CausalAttention {
    const [inputs, heads] = [settings.integer('inputs', { min: 3 }), settings.integer('heads', { min: 1 })];
    const lastOnly = settings.boolean('lastOnly');
    if (inputs % (3 * heads) === 0) return new CausalAttention(inputs, heads, sequences, runtime, lastOnly);
    throw settings.error('inputs', `expected a multiple of ${3 * heads}, got ${inputs}`);
  }

  parameters(): Matrix[] {
    return [];
  }

  /** @throws {ShapeError} when x has not as many rows as the sequences */
  forward(x: Matrix): Matrix {
    checkForward(this, x);
    const { offsets } = this.#sequences;
    checkSequences(x, offsets);
    this.#x = x;
    this.#offsets = offsets;
    const rows = this.lastOnly ? offsets.length - 1 : x.rows;
    this.#y = withRows(this.#y, rows, () => columnsMatrix(rows, this.outputs, this.runtime));
    const call = { ...this.#call(x), y: this.#y.offset, yStride: this.#y.dimensions };
    modelPool(this.runtime).run('causalAttention', offsets.length - 1, GRAIN_SEQUENCES, call);
    return this.#y;
  }

  backward(dy: Matrix, optimizer: SparseOptimizer): Matrix {
    checkBackward(this, dy, optimizer, this.#y?.rows);
    const x = this.#x!;
    const dx = unfilledMatrix(x.rows, x.dimensions, this.runtime);
    const call = { ...this.#call(x), dy: dy.offset, dyStride: dy.dimensions, dx: dx.offset };
    modelPool(this.runtime).run('causalAttentionGradient', this.#offsets.length - 1, GRAIN_SEQUENCES, call);
    return dx;
  }

  /** The fields that both passes have, with the offsets in the linear memory. */
  #call(x: Matrix): AttentionCall {
    const offsets = this.#offsets;
    const longest = offsets.reduce((most, offset, s) => Math.max(most, offset - (offsets[s - 1] ?? 0)), 0);
    const scratchStride = 2 * 4 * padded(longest);
    const block = this.#scratch.reserve(scratchStride * this.runtime.pool.threads + 4 * offsets.length);
    const offsetsAt = scratchStride * this.runtime.pool.threads;
    block.integers(offsets.length, offsetsAt).set(offsets);
    const width = this.outputs / this.heads;
    return {
      ...{ x: x.offset, stride: x.dimensions, offsets: block.offset + offsetsAt, heads: this.heads, width },
      ...{ scale: 1 / Math.sqrt(width), lastOnly: Number(this.lastOnly), scratch: block.offset, scratchStride },
    };
  }
}

/** Check that x has a row for each item of the sequences. @throws {ShapeError} */
export function checkSequences(x: Matrix, offsets: Int32Array): void {
  if (offsets.at(-1) === x.rows) return;
  throw new ShapeError(`x: expected ${offsets.at(-1)} rows, those of the sequences, got ${x.rows}`);
}
