/**
 * The attention of a sequence feature: the embeddings E of the items of a list and learned positions P pass through the
 * blocks of SASRec (layers/attention-blocks.ts), and the state of the last item is the vector of the list.
 *
 *   x_i = √d · E[id_i] + P[j],  j items after i;   vector = blocks(x) at the last item;   an empty list gives zeros
 *
 * The lists of a batch pass one after another without padding, and the last block computes the states of last items only. Positions are counted from the end, where the authors' padding
 * on the left puts them. An item sees the items before it and itself only, so that its state depends on no later item.
 *
 * Source: Kang and McAuley, "Self-Attentive Sequential Recommendation", ICDM 2018; the factor √d is that of its authors' code.
 * Letters: d columns of the table.
 */
import type { EmbeddingTable } from '../embeddings/contract.ts';
import { FullTable } from '../embeddings/full.ts';
import { OptionError, ShapeError } from '../errors/errors.ts';
import type { BagColumn } from '../features/contract.ts';
import { loadPart, type Part } from '../format/part.ts';
import type { Saved } from '../format/saved.ts';
import { type AttentionShape, attentionBlocks } from '../layers/attention-blocks.ts';
import { CausalAttention, type Sequences } from '../layers/causal-attention.ts';
import { columnsMatrix, padded } from '../layers/contract.ts';
import { LastRows } from '../layers/last-rows.ts';
import { layerLoaders, loadSequential, makeLayers } from '../layers/make-layers.ts';
import { Sequential } from '../layers/sequential.ts';
import type { SparseOptimizer } from '../optimizers/contract.ts';
import type { Runtime } from '../parallel/runtime.ts';
import type { Generator } from '../random/generator.ts';
import { Matrix } from '../vectors/matrix.ts';
import { withPlaces } from './embedding-bag.ts';
import { numbersTo, type RowAdder, type RowSums } from './row-sums.ts';
import type { TableGradients } from './table-gradients.ts';

/** The size of an encoder. */
export interface EncoderShape extends AttentionShape {
  /** The most items of a list. */
  readonly maxLength: number;
}

/** Embeds lists of ids by attention. */
export class AttentionEncoder {
  /** P [maxLength, d]; row 0 is the position of the last item. */
  readonly positions: FullTable;
  readonly blocks: Sequential;
  readonly #sequences: Sequences;
  /** x of the last `embed`, which the blocks read again in `addGradients`. */
  #x: Matrix | undefined;

  constructor(positions: FullTable, blocks: Sequential, sequences: Sequences) {
    this.positions = positions;
    this.blocks = blocks;
    this.#sequences = sequences;
  }

  /**
   * A new encoder with random weights.
   *
   * @param name the feature, for messages
   * @throws {OptionError} when the heads do not divide the dimensions
   */
  static create(
    name: string,
    dimensions: number,
    shape: EncoderShape,
    { seeds, runtime }: { seeds: Generator; runtime: Runtime },
  ): AttentionEncoder {
    const { maxLength, heads } = shape;
    if (dimensions % heads !== 0) {
      throw new OptionError(
        `features.${name}.attention.heads: expected a divisor of the ${dimensions} dimensions, got ${heads}`,
      );
    }
    const seed = seeds.uint32();
    const positions = FullTable.create({ vocabularySize: maxLength, dimensions, seed, runtime });
    const sequences: Sequences = { offsets: Int32Array.of(0) };
    const layers = makeLayers(attentionBlocks(dimensions, shape, sequences), dimensions, seeds, runtime);
    return new AttentionEncoder(positions, new Sequential(dimensions, layers, runtime), sequences);
  }

  /** The saved form: the positions and the blocks. */
  save(): Saved {
    const parts = { positions: this.positions.save(), blocks: this.blocks.save() };
    return { kind: 'attention', settings: {}, sections: [], parts };
  }

  /**
   * Load a saved encoder.
   *
   * @param dimensions the columns of the table
   * @throws {FormatError} when its parts are not those of lists of at most `maxLength` ids, or do not make one state of each list
   */
  static load(part: Part, dimensions: number, maxLength: number): AttentionEncoder {
    const sequences: Sequences = { offsets: Int32Array.of(0) };
    const positions = loadPart(part.part('positions'), { full: FullTable.load });
    const loaders = layerLoaders({
      causalAttention: (layer) => CausalAttention.load(layer, sequences),
      lastRows: (layer) => LastRows.load(layer, sequences),
    });
    const blocks = loadPart(part.part('blocks'), { sequential: (saved) => loadSequential(saved, loaders) });
    const found = [positions.vocabularySize, positions.dimensions, blocks.inputs, blocks.outputs];
    const expected = [maxLength, dimensions, dimensions, dimensions];
    if (found.join() !== expected.join()) {
      throw part.refusal(`attention: expected positions and blocks of ${expected.join(', ')}, got ${found.join(', ')}`);
    }
    sequences.offsets = Int32Array.of(0, 2);
    const states = statesOf(blocks, 2);
    if (states === 1) return new AttentionEncoder(positions, blocks, sequences);
    throw part.refusal(
      `blocks: expected 1 state of a list of 2 items, got ${states ?? 'layers that do not fit together'}`,
    );
  }

  /** Every trained matrix, in a fixed order. */
  parameters(): Matrix[] {
    return [...this.positions.trained(), ...this.blocks.parameters()];
  }

  /**
   * Write the vectors of lists of ids to the columns of `out` from `column` on.
   *
   * @param trainingStep the number of the step while training, from which dropout draws
   * @throws {ShapeError} when a list is longer than `maxLength`
   * @throws {OptionError} naming the id that is not one of the table's
   */
  embed(
    table: EmbeddingTable,
    { offsets, ids }: BagColumn,
    adder: RowAdder,
    out: Matrix,
    column: number,
    trainingStep?: number,
  ): void {
    const { dimensions } = table;
    const positions = this.#positionsOf(offsets);
    const base = this.positions.codebook.offset / 4;
    this.#x?.free();
    const x = columnsMatrix(ids.length, dimensions, out.runtime);
    this.#x = x;
    withPlaces(table, ids, out.runtime, (places) => {
      const [pairs, weights] = [new Int32Array(2 * ids.length), new Float32Array(2 * ids.length).fill(1)];
      const scale = scaleOf(dimensions);
      for (let i = 0; i < ids.length; i++) {
        pairs[2 * i] = places[i]!;
        weights[2 * i] = scale;
        pairs[2 * i + 1] = base + positions[i]! * dimensions;
      }
      const two = numbersTo(ids.length).map((i) => 2 * i);
      adder.sum({ offsets: two, places: pairs, weights }, dimensions, x);
    });
    this.#sequences.offsets = offsets;
    adder.sum(rowsOfLists(offsets, this.blocks.forward(x, trainingStep), 0), dimensions, out, column);
  }

  /** Step the blocks by the gradient of the vectors of the last `embed`, and add the gradients of both tables to `tables`. */
  addGradients(
    table: EmbeddingTable,
    { offsets, ids }: BagColumn,
    gradient: Matrix,
    column: number,
    adder: RowAdder,
    optimizer: SparseOptimizer,
    tables: TableGradients,
  ): void {
    const { dimensions } = table;
    const dy = columnsMatrix(gradient.rows, dimensions, gradient.runtime);
    adder.sum(rowsOfLists(offsets, gradient, column), dimensions, dy);
    const dx = this.blocks.backward(dy, optimizer);
    dy.free();
    tables.hold(dx);
    const each = { offsets: numbersTo(ids.length), gradient: dx, column: 0, isDistinct: false };
    const weights = new Float32Array(ids.length).fill(scaleOf(dimensions));
    tables.add(table, { ...each, ids, weights });
    tables.add(this.positions, { ...each, ids: this.#positionsOf(offsets), weights: undefined });
  }

  /** The position of each item: the number of items of its list after it. */
  #positionsOf(offsets: Int32Array): Int32Array {
    const positions = new Int32Array(offsets.at(-1)!);
    const { vocabularySize: maxLength } = this.positions;
    for (let row = 0; row + 1 < offsets.length; row++) {
      const [from, to] = [offsets[row]!, offsets[row + 1]!];
      if (to - from > maxLength) {
        throw new ShapeError(`features: expected lists of at most ${maxLength} items, got ${to - from} in row ${row}`);
      }
      for (let i = from; i < to; i++) positions[i] = to - 1 - i;
    }
    return positions;
  }
}

/** The number of states that blocks make of `rows` rows; undefined where their layers do not fit together. */
function statesOf(blocks: Sequential, rows: number): number | undefined {
  const x = new Matrix(rows, padded(blocks.inputs), blocks.runtime);
  try {
    return blocks.forward(x).rows;
  } catch (error) {
    if (error instanceof ShapeError) return undefined;
    throw error;
  } finally {
    x.free();
  }
}

/** √d, which brings the small initial numbers of a table to the size that the blocks expect. */
function scaleOf(dimensions: number): number {
  return Math.sqrt(dimensions);
}

/** The row of each list, from `column` on; none for an empty list. */
function rowsOfLists(offsets: Int32Array, rows: Matrix, column: number): RowSums {
  const [counts, places] = [new Int32Array(offsets.length), new Int32Array(offsets.length - 1)];
  let count = 0;
  for (let row = 0; row < places.length; row++) {
    if (offsets[row + 1]! > offsets[row]!) places[count++] = rows.offset / 4 + row * rows.dimensions + column;
    counts[row + 1] = count;
  }
  return { offsets: counts, places: places.subarray(0, count) };
}
