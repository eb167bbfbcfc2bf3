/** Products of row-major float32 matrices. Formulas and layouts: packages/core/assembly/matmul.ts. */

/** The matmul kernels. */
export interface MatmulKernels {
  /** packed[p][t][i] = B[8p + i][t]. Items: panels of 8 rows. */
  packPanels(begin: number, end: number, slot: number, b: number, n: number, d: number, packed: number): void;
  /** out[r][8p + i] = Σ_t A[r][t] · packed[p][t][i]. */
  scorePanels(a: number, rows: number, d: number, packed: number, panels: number, out: number, outStride: number): void;
  /** C = A · B; d a multiple of 4. Items: rows of A. */
  multiplyRows(
    begin: number,
    end: number,
    slot: number,
    a: number,
    aStride: number,
    n: number,
    b: number,
    d: number,
    c: number,
  ): void;
  /** C += Aᵀ · B; d a multiple of 4. Items: groups of 4 columns of A. */
  multiplyTransposed(
    begin: number,
    end: number,
    slot: number,
    a: number,
    aStride: number,
    m: number,
    n: number,
    b: number,
    d: number,
    c: number,
  ): void;
}
