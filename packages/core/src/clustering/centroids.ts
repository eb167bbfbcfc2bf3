/** Centroids in the layouts of the assignment kernels: float32 in panels of 8 with half the squared norms, and int16. */
import { type ASSIGN_NEAREST, nearestScratchBytes } from '../kernels/families/assign.ts';
import type { RecordValues } from '../kernels/record.ts';
import type { Block } from '../memory/heap.ts';
import { Scratch } from '../memory/scratch.ts';
import type { Runtime } from '../parallel/runtime.ts';
import { Matrix } from '../vectors/matrix.ts';
import { INT16_NORM, packInt16, squaredNorm } from './int16-panels.ts';

const PANEL = 8;
/** Blocks of 4 rows a thread claims: enough work to outweigh the claim. */
const GRAIN = 16;
/** From this many panels on, int16 scores save more time than their check costs. */
const PANELS_FOR_INT16 = 4;

/** The fields of calls of kernels that say where the packed layouts are. */
type PackedField = 'panels' | 'packed' | 'halfSquares' | 'packed16' | 'unscale' | 'limits';

/** A set of `count` centroids to which rows can be assigned. */
export class Centroids {
  readonly count: number;
  readonly runtime: Runtime;
  /** [count, d], to be changed in place; call `pack` afterwards. */
  readonly matrix: Matrix;
  /** [1, count padded to 8] |c|²/2 as of the last `pack`, infinite in the padding. */
  readonly halfSquares: Matrix;
  readonly #panels: number;
  readonly #packed: Matrix;
  /** [panel][pair of dimensions][8][2] int16; undefined where there are too few centroids. */
  readonly #packed16: Block | undefined;
  /** max |c16|₁, max |c|, max |c|²/2. */
  readonly #limits: Block;
  readonly #scratch: Scratch;
  #unscale = 0;

  constructor(count: number, dimensions: number, runtime: Runtime) {
    this.count = count;
    this.runtime = runtime;
    this.#panels = Math.ceil(count / PANEL);
    this.matrix = new Matrix(count, dimensions, runtime);
    this.#packed = new Matrix(this.#panels * PANEL, dimensions, runtime);
    this.halfSquares = new Matrix(1, this.#panels * PANEL, runtime);
    this.#limits = runtime.heap.allocate(12);
    this.#scratch = new Scratch(runtime.heap);
    if (this.#panels >= PANELS_FOR_INT16) {
      this.#packed16 = runtime.heap.allocate(4 * PANEL * this.#panels * Math.ceil(dimensions / 2));
    }
  }

  /** Write the packed layouts from `matrix`. */
  pack(): void {
    const { count, matrix } = this;
    const d = matrix.dimensions;
    const halves = this.halfSquares.data.fill(Number.POSITIVE_INFINITY);
    const { data } = matrix;
    let most = 0;
    for (let c = 0; c < count; c++) {
      const square = squaredNorm(data, c * d, d);
      halves[c] = square / 2;
      most = Math.max(most, square);
    }
    this.runtime.pool.run('packPanels', this.#panels, 8, matrix.offset, count, d, this.#packed.offset);
    if (this.#packed16) this.#pack16(this.#packed16, Math.sqrt(most));
  }

  /** Nearest centroid of rows [n, d] at an offset: labels int32, and ⟨x, c⟩ − |c|²/2 float32, from item `first` of each on. */
  assign(rows: number, n: number, labels: Block, scores: Block, first = 0): void {
    const { pool } = this.runtime;
    const d = this.matrix.dimensions;
    const blocks = Math.ceil(n / 4);
    const out = { labels: labels.offset + 4 * first, scores: scores.offset + 4 * first };
    const stride = nearestScratchBytes(this.#panels, d);
    const scratch = this.#scratch.reserve(stride * pool.threads);
    pool.run('assignNearest', blocks, GRAIN, {
      rows,
      n,
      d,
      ...this.packedPanels(),
      ...out,
      scratch: scratch.offset,
      scratchStride: stride,
    });
  }

  /** The places of the packed layouts, for kernels; `packed16` is 0 where there are fewer than 4 panels. */
  packedPanels(): Pick<RecordValues<typeof ASSIGN_NEAREST>, PackedField> {
    return {
      panels: this.#panels,
      packed: this.#packed.offset,
      halfSquares: this.halfSquares.offset,
      packed16: this.#packed16?.offset ?? 0,
      unscale: this.#unscale,
      limits: this.#limits.offset,
    };
  }

  /**
   * SOAR's second centroid of rows (arXiv 2404.00774): the one that minimises |x − c|² + λ ⟨x − c, u⟩², u the direction of
   * the residual of the first. Labels are read and second ones written from item `first` on.
   */
  assignSecond(rows: number, n: number, labels: Block, lambda: number, second: Block, first = 0): void {
    const d = this.matrix.dimensions;
    const { pool } = this.runtime;
    pool.run('assignSecond', n, 4 * GRAIN, {
      rows,
      d,
      ...this.packedPanels(),
      centroids: this.matrix.offset,
      labels: labels.offset + 4 * first,
      lambda,
      second: second.offset + 4 * first,
      scratch: this.#scratch.reserve(4 * d * pool.threads).offset,
    });
  }

  /** Give the memory back. */
  free(): void {
    this.matrix.free();
    this.#packed.free();
    this.halfSquares.free();
    this.#packed16?.free();
    this.#limits.free();
    this.#scratch.free();
  }

  #pack16(block: Block, longest: number): void {
    const { count, matrix } = this;
    const { data, dimensions: d } = matrix;
    const pairs = Math.ceil(d / 2);
    const shorts = new Int16Array(
      this.runtime.heap.memory.memory.buffer,
      block.offset,
      2 * PANEL * this.#panels * pairs,
    );
    const scale = longest > 0 ? INT16_NORM / longest : 0;
    let mostSum = 0;
    for (let c = 0; c < count; c++) {
      const to = 2 * PANEL * pairs * Math.floor(c / PANEL) + 2 * (c % PANEL);
      const sum = packInt16(shorts, to, PANEL, data, c * d, d, scale);
      mostSum = Math.max(mostSum, sum);
    }
    this.#unscale = longest / INT16_NORM;
    this.#limits.floats(3).set([mostSum, longest, longest ** 2 / 2]);
  }
}
