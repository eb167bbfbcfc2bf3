/** The context of every route: models, limits, API keys, metrics and the logger. */
import type { Logger } from 'pino';
import type { ApiKeys } from '../access/api-keys.ts';
import type { SiteOptions } from '../access/site-check.ts';
import type { ModelRegistry } from '../models/registry.ts';
import type { RequestLimits } from '../models/run-signature.ts';
import type { Snapshot } from '../models/snapshot.ts';
import type { VersionLoader } from '../models/version-record.ts';
import type { VersionReport } from '../models/version-statistics.ts';
import type { Metrics, MetricsSnapshot } from '../observe/metrics.ts';

/** Bounds on requests. */
export interface ServerLimits extends RequestLimits {
  /** Bytes of a body. */
  bodyBytes: number;
  /** Deadline of a request that names none, in milliseconds. */
  deadlineMs: number;
  /** Longest time a whole request takes to arrive, in milliseconds. */
  arrivalMs: number;
}

/** The other processes that serve the same models: their statistics and metrics. */
export interface Peers {
  statistics(): Promise<readonly VersionReport[]>;
  metrics(): Promise<readonly MetricsSnapshot[]>;
}

/** The peers of a server of one process: none. */
export const NO_PEERS: Peers = { statistics: async () => [], metrics: async () => [] };

/** What all routes share. */
export interface ServingContext {
  registry: ModelRegistry;
  load: VersionLoader;
  /** Write a snapshot of a model; undefined for the only one. @throws {ServingError} */
  snapshot: (model: string | undefined) => Promise<Snapshot>;
  limits: ServerLimits;
  keys: ApiKeys;
  /** Web pages and host names from which the server may be changed. */
  sites: SiteOptions;
  metrics: Metrics;
  logger: Logger;
  peers: Peers;
  serverVersion: string;
  /** False while nothing is loaded and from the moment the server is told to stop. */
  isReady: () => boolean;
}
