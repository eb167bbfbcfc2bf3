/** The context that all routes share: models, limits, API keys, metrics and the logger. */
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
  /** Most bytes of a body. */
  bodyBytes: number;
  /** Deadline of a request that names none, in milliseconds. */
  deadlineMs: number;
  /** Longest time in which a whole request must arrive, in milliseconds. */
  arrivalMs: number;
  /**
   * Time after which a gRPC connection is pinged, in milliseconds. A client that does not answer within `arrivalMs` is
   * disconnected.
   */
  pingMs: number;
}

/** Statistics and metrics of the other processes that serve the same models. */
export interface Peers {
  statistics(): Promise<readonly VersionReport[]>;
  metrics(): Promise<readonly MetricsSnapshot[]>;
}

/** The peers of a server of one process: none. */
export const NO_PEERS: Peers = { statistics: async () => [], metrics: async () => [] };

/** The objects that all routes share. */
export interface ServingContext {
  registry: ModelRegistry;
  load: VersionLoader;
  /** Write a snapshot of a model. With undefined as its name, it is the server's only model. @throws {ServingError} */
  snapshot: (model: string | undefined) => Promise<Snapshot>;
  limits: ServerLimits;
  keys: ApiKeys;
  /** The web sites and host names from which the server may be changed. */
  sites: SiteOptions;
  metrics: Metrics;
  logger: Logger;
  peers: Peers;
  serverVersion: string;
  /** False until the models are loaded, and from the start of a stop. */
  isReady: () => boolean;
}
