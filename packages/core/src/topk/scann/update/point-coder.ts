/**
 * Computes the leaf and the codes of points that are inserted into a built index, with the centroids and the codebook
 * of the build.
 */
import { Centroids } from '../../../clustering/centroids.ts';
import { Scratch } from '../../../memory/scratch.ts';
import type { Matrix } from '../../../vectors/matrix.ts';
import { writeCorrectionCodes } from '../build/codes.ts';
import { codedDimensions, GROUP_SLOTS, type Leaves } from '../leaves.ts';

/** The scratch memory of a call with up to this many rows, about a megabyte, is kept for the next call. */
const ROWS_KEPT = 16_384;

/** Leaves and codes of points; valid until the next call. */
export interface CodedPoints {
  /** The leaf of each point. */
  leaves: Int32Array;
  /** ⟨x, c⟩ − |c|²/2 of each point x and its centroid c. */
  near: Float32Array;
  /** Write the codes of point `i` to a slot of an index in this memory, or of a segment. */
  pack: (i: number, to: Leaves, slot: number) => void;
}

/** Codes the points of one index. */
export class PointCoder {
  readonly #leaves: Leaves;
  #centroids: Centroids | undefined;
  /** Scratch memory that calls reuse: for one row, allocating it would take longer than coding. */
  readonly #scratch: Record<'labels' | 'scores' | 'codes' | 'corrections' | 'correctionCodes' | 'words', Scratch>;

  constructor(leaves: Leaves) {
    this.#leaves = leaves;
    const { heap } = leaves.runtime;
    this.#scratch = {
      labels: new Scratch(heap),
      scores: new Scratch(heap),
      codes: new Scratch(heap),
      corrections: new Scratch(heap),
      correctionCodes: new Scratch(heap),
      words: new Scratch(heap),
    };
  }

  /** The centroids of the build, packed for assignment. */
  get centroids(): Centroids {
    if (!this.#centroids) {
      const { shape, runtime } = this.#leaves;
      const d = codedDimensions(shape);
      this.#centroids = new Centroids(shape.leaves, d, runtime);
      const length = shape.leaves * d;
      this.#centroids.matrix.data.set(this.#leaves.floats('centroids').subarray(0, length));
      this.#centroids.pack();
    }
    return this.#centroids;
  }

  /** Leaves and codes of coded rows [n, d]. */
  code(rows: Matrix): CodedPoints {
    const { shape, parts, runtime } = this.#leaves;
    const { pool } = runtime;
    const scratch = this.#scratch;
    const n = rows.rows;
    const { productBlocks: blocks, blockWidth: width, correctionBlocks, correctionKind: kind } = shape;
    const { centroids } = this;
    const labels = scratch.labels.reserve(4 * n);
    const scores = scratch.scores.reserve(4 * n);
    const codes = scratch.codes.reserve(n * blocks);
    const corrections = scratch.corrections.reserve(4 * n);
    const correctionCodes = scratch.correctionCodes.reserve(Math.max(1, n * correctionBlocks));
    const words16 = scratch.words.reserve(4 * (blocks * width + 32 * blocks) * pool.threads);
    centroids.assign(rows.offset, n, labels, scores);
    pool.run('encodeCopies', n, 64, {
      rows: rows.offset,
      d: codedDimensions(shape),
      copyRow: 0,
      labels: labels.offset,
      centroids: centroids.matrix.offset,
      codebook: parts.codebook!.offset,
      blocks,
      width,
      eta: shape.eta,
      kind,
      codes: codes.offset,
      corrections: corrections.offset,
      scratch: words16.offset,
    });
    const words = this.#leaves.floats('corrections').subarray(0, 16 * correctionBlocks);
    writeCorrectionCodes(corrections.floats(n), words, kind, correctionCodes.bytes());
    const pack = (i: number, to: Leaves, slot: number): void => {
      const code = codes.offset + i * blocks;
      const correction = correctionCodes.offset + i * correctionBlocks;
      this.#pack(to, slot, code, correction);
    };
    return { leaves: labels.integers(n), near: scores.floats(n), pack };
  }

  /** Write the codes at two offsets of the coder's memory to a slot. */
  #pack(to: Leaves, slot: number, code: number, correction: number): void {
    const { productBlocks: blocks, correctionBlocks } = this.#leaves.shape;
    const { heap, kernels } = to.runtime;
    const group = to.parts.codes!.offset + Math.floor(slot / GROUP_SLOTS) * 16 * (blocks + correctionBlocks);
    let [from, fromCorrection] = [code, correction];
    if (to.runtime !== this.#leaves.runtime) {
      // The kernel reads its own memory only.
      const { bytes } = this.#leaves.runtime.heap.memory;
      const copy = heap.allocate(blocks + correctionBlocks);
      [from, fromCorrection] = [copy.offset, copy.offset + blocks];
      heap.memory.bytes.set(bytes.subarray(code, code + blocks), from);
      heap.memory.bytes.set(bytes.subarray(correction, correction + correctionBlocks), fromCorrection);
      copy.free();
    }
    kernels.packPoint(group, slot % GROUP_SLOTS, from, blocks, fromCorrection, correctionBlocks);
  }

  /** End the use of the result of `code` for `rows` points: large scratch memory is freed. */
  done(rows: number): void {
    if (rows > ROWS_KEPT) this.#freeScratch();
  }

  /** Give the memory back. */
  free(): void {
    this.#centroids?.free();
    this.#centroids = undefined;
    this.#freeScratch();
  }

  #freeScratch(): void {
    for (const each of Object.values(this.#scratch)) each.free();
  }
}
