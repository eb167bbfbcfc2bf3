/** What a version did since it was loaded: the figures of the statistics extension. Times in milliseconds. */
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
  /** Time asks waited for their scan, and time scans took. */
  queueMs = 0;
  computeMs = 0;
  /** Milliseconds since 1970 of the last request; 0 before the first. */
  lastInferenceMs = 0;
}
