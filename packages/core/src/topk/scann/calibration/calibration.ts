/** What a build measured of itself. */

/** What was measured, and the settings that it led to; JSON. */
export interface Calibration {
  /** Recall@k of the settings on the candidates asked, and what was asked for. */
  recall: number;
  targetRecall: number;
  k: number;
  /** Candidates asked. */
  queries: number;
  numLeavesToSearch: number;
  numReorderingCandidates: number;
}
