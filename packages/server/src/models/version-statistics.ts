/** Statistics of a version since it was loaded, for the Open Inference Protocol's statistics extension. Times in milliseconds. */
export class VersionStatistics {
  /** Queries answered. */
  inferences = 0;
  /** Scans they took. */
  executions = 0;
  /** Requests answered and the time they took in all. */
  succeeded = 0;
  succeededMs = 0;
  /** Requests refused or failed and the time they took in all. */
  failed = 0;
  failedMs = 0;
  /** Time queries waited for their scan, and time scans took. */
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
