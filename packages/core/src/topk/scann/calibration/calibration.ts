/** The calibration of a build: its recall, measured on some of its own candidates, and the settings chosen by it. */

/** The measurements of a build and the settings that follow from them; JSON. */
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
