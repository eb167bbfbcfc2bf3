/**
 * Statistics of a version since it was loaded, for the statistics extension of the Open Inference Protocol. All times
 * are in milliseconds.
 */
export class VersionStatistics {
  /** Queries answered. */
  inferences = 0;
  /** Scans that answered them. */
  executions = 0;
  /** Requests that were answered, and their total time. */
  succeeded = 0;
  succeededMs = 0;
  /** Requests that were refused or failed, and their total time. */
  failed = 0;
  failedMs = 0;
  /** Total time that queries waited for their scan, and total time of the scans. */
  queueMs = 0;
  computeMs = 0;
  /** Milliseconds since 1970 of the last request; 0 before the first. */
  lastInferenceMs = 0;
}

/** The statistics of one version in one process. */
export interface VersionReport {
  model: string;
  version: number;
  statistics: VersionStatistics;
}

/** The sum of a version's statistics in all processes. */
export function summed(all: readonly VersionStatistics[]): VersionStatistics {
  const sum = new VersionStatistics();
  for (const one of all) {
    sum.inferences += one.inferences;
    sum.executions += one.executions;
    sum.succeeded += one.succeeded;
    sum.succeededMs += one.succeededMs;
    sum.failed += one.failed;
    sum.failedMs += one.failedMs;
    sum.queueMs += one.queueMs;
    sum.computeMs += one.computeMs;
    sum.lastInferenceMs = Math.max(sum.lastInferenceMs, one.lastInferenceMs);
  }
  return sum;
}
