/** Centroids ready to be compared with rows: packed in panels of 8, with half their squares. */
import type { Block } from '../memory/heap.ts';
import type { Runtime } from '../parallel/runtime.ts';
import { Matrix } from '../vectors/matrix.ts';

const PANEL = 8;
/** Blocks of 4 rows a thread claims: enough work to outweigh the claim. */
const GRAIN = 16;

/** `count` centroids of one width, compared with any number of rows. */
export class Centroids {
  readonly count: number;
  readonly runtime: Runtime;
  /** [count, d], to be changed in place; call `pack` afterwards. */
  readonly matrix: Matrix;
  readonly #packed: Matrix;
  readonly #halfSquares: Matrix;

  constructor(count: number, dimensions: number, runtime: Runtime) {
    this.count = count;
    this.runtime = runtime;
    const rows = Math.ceil(count / PANEL) * PANEL;
    this.matrix = new Matrix(count, dimensions, runtime);
    this.#packed = new Matrix(rows, dimensions, runtime);
    this.#halfSquares = new Matrix(1, rows, runtime);
  }

  /** Bring the packed form up to date with `matrix`. */
  pack(): void {
    const { count, matrix } = this;
    const d = matrix.dimensions;
    const halves = this.#halfSquares.data.fill(Number.POSITIVE_INFINITY);
    const { data } = matrix;
    for (let c = 0; c < count; c++) {
      let square = 0;
      for (let t = 0; t < d; t++) square += data[c * d + t]! ** 2;
      halves[c] = square / 2;
    }
    this.runtime.pool.run('packPanels', Math.ceil(count / PANEL), 8, matrix.offset, count, d, this.#packed.offset);
  }

  /** Nearest centroid of rows [n, d] at an offset: labels int32, and ⟨x, c⟩ − |c|²/2 float32. */
  assign(rows: number, n: number, labels: Block, scores: Block): void {
    const panels = Math.ceil(this.count / PANEL);
    const { offset } = this.#packed;
    const d = this.matrix.dimensions;
    this.runtime.pool.run(
      'assignNearest',
      Math.ceil(n / 4),
      GRAIN,
      rows,
      n,
      d,
      offset,
      this.#halfSquares.offset,
      panels,
      labels.offset,
      scores.offset,
    );
  }

  /**
   * SOAR's second centroid of rows (arXiv 2404.00774): the one that minimises |x − c|² + λ ⟨x − c, u⟩², u the direction of
   * the residual of the first.
   */
  assignSecond(rows: number, n: number, labels: Block, lambda: number, second: Block): void {
    const d = this.matrix.dimensions;
    const scratch = this.runtime.heap.allocate(4 * d * this.runtime.pool.threads);
    this.runtime.pool.run(
      'assignSecond',
      n,
      4 * GRAIN,
      rows,
      d,
      this.#packed.offset,
      this.#halfSquares.offset,
      Math.ceil(this.count / PANEL),
      this.matrix.offset,
      labels.offset,
      lambda,
      second.offset,
      scratch.offset,
    );
    scratch.free();
  }

  /** Give the memory back. */
  free(): void {
    this.matrix.free();
    this.#packed.free();
    this.#halfSquares.free();
  }
}
