/** Scores of rows with panels of candidates. Formulas and layouts: packages/core/assembly/matmul.ts. */

/** The matmul kernels. */
export interface MatmulKernels {
  /** packed[p][t][i] = B[8p + i][t]. Items: panels of 8 rows. */
  packPanels(begin: number, end: number, slot: number, b: number, n: number, d: number, packed: number): void;
  /** out[r][8p + i] = Σ_t A[r][t] · packed[p][t][i]. */
  scorePanels(a: number, rows: number, d: number, packed: number, panels: number, out: number, outStride: number): void;
}
