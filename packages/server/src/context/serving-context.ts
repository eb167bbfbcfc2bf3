/** What every route is given: the models, the bounds, who may come in, and where figures and lines go. */
import type { Logger } from 'pino';
import type { ApiKeys } from '../access/api-keys.ts';
import type { ModelRegistry } from '../models/registry.ts';
import type { RequestLimits } from '../models/run-signature.ts';
import type { VersionLoader } from '../models/version-record.ts';
import type { VersionFigures } from '../models/version-statistics.ts';
import type { MetricFigures, Metrics } from '../observe/metrics.ts';

/** Bounds on requests. */
export interface ServerLimits extends RequestLimits {
  /** Bytes of a body. */
  bodyBytes: number;
  /** Milliseconds after which a request nobody gave a deadline is given up. */
  deadlineMs: number;
  /** Milliseconds in which a whole request must have arrived. */
  arrivalMs: number;
}

/** What other processes that serve the same models did. */
export interface Elsewhere {
  statistics(): Promise<readonly VersionFigures[]>;
  metrics(): Promise<readonly MetricFigures[]>;
}

/** One process: there is no other. */
export const NOWHERE: Elsewhere = { statistics: async () => [], metrics: async () => [] };

/** What routes share. */
export interface ServingContext {
  registry: ModelRegistry;
  load: VersionLoader;
  limits: ServerLimits;
  keys: ApiKeys;
  metrics: Metrics;
  logger: Logger;
  elsewhere: Elsewhere;
  serverVersion: string;
  /** False while nothing is loaded and from the moment the server is told to stop. */
  isReady: () => boolean;
}
