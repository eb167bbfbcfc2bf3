/** One column of vectors: components [j·w, (j+1)·w) of each, as a matrix of its own, which clustering needs. */
import { Matrix } from '../vectors/matrix.ts';

/** Column `column` of vectors [n, d] as a matrix [n, d/columns]. */
export function sliceColumn(vectors: Matrix, column: number, columns: number): Matrix {
  const width = vectors.dimensions / columns;
  const slice = new Matrix(vectors.rows, width, vectors.runtime);
  const [from, to] = [vectors.data, slice.data];
  for (let i = 0; i < vectors.rows; i++) {
    const at = i * vectors.dimensions + column * width;
    for (let t = 0; t < width; t++) to[i * width + t] = from[at + t]!;
  }
  return slice;
}
