/** What a server and its replicas ask of each other, by name: what is sent, and what comes back. */
import type { ApiKey } from '../access/api-keys.ts';
import type { TlsFiles } from '../access/tls-files.ts';
import type { ServerLimits } from '../context/serving-context.ts';
import type { ForwardedRequest, ForwardedResponse } from '../http/forwarding.ts';
import type { FollowedVersion, ShownVersions } from '../models/followers.ts';
import type { VersionFigures } from '../models/version-statistics.ts';
import type { CanaryOptions } from '../observe/canary.ts';
import type { MetricFigures } from '../observe/metrics.ts';
import type { BatcherOptions } from '../queue/batcher.ts';
import type { Update } from '../servable/contract.ts';

/** A call: what is asked and what is answered. */
export interface Call<Ask, Answer> {
  ask: Ask;
  answer: Answer;
}

/** What a replica is told once, before anything else. */
export interface ReplicaSettings {
  models: readonly string[];
  limits: ServerLimits;
  queue: Pick<BatcherOptions, 'batch' | 'waitMs' | 'queued' | 'sliceMs'>;
  canary: CanaryOptions;
  keys: readonly ApiKey[];
  tls: TlsFiles | undefined;
  requestsPerSecond: number | undefined;
  logLevel: string;
  serverVersion: string;
}

/** What a process did since it started. */
export interface ReplicaFigures {
  metrics: MetricFigures;
  statistics: VersionFigures[];
}

/** What a server asks of a replica. */
export interface ReplicaCalls {
  start: Call<ReplicaSettings, void>;
  open: Call<{ model: string; version: FollowedVersion }, void>;
  drop: Call<{ model: string; version: number }, void>;
  show: Call<{ model: string; shown: ShownVersions }, void>;
  apply: Call<{ model: string; version: number; updates: readonly Update[] }, void>;
  figures: Call<undefined, ReplicaFigures>;
  /** Is the event loop alive? */
  ping: Call<undefined, void>;
  drain: Call<{ withinMs: number }, void>;
}

/** What a replica asks of its server. */
export interface ServerCalls {
  forward: Call<ForwardedRequest, ForwardedResponse>;
}
