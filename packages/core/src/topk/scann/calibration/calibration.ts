/**
 * The result of a calibration: the recall, measured with some candidates of the index as queries, and the chosen
 * settings.
 */

/** The measured recall of a build and the settings that were chosen; saved as JSON. */
export interface Calibration {
  /** Recall@k of the chosen settings, and the target. */
  recall: number;
  targetRecall: number;
  k: number;
  /** Candidates used as queries. */
  queries: number;
  numLeavesToSearch: number;
  numReorderingCandidates: number;
}
