/** The calls between a server and its replicas, by name: the type of each request and of its response. */
import type { ApiKey } from '../access/api-keys.ts';
import type { SiteOptions } from '../access/site-check.ts';
import type { TlsFiles } from '../access/tls-files.ts';
import type { ServerLimits } from '../context/serving-context.ts';
import type { ForwardedRequest, ForwardedResponse } from '../http/forwarding.ts';
import type { FollowedVersion, ShownVersions } from '../models/followers.ts';
import type { RowOptions } from '../models/load-version.ts';
import type { VersionReport } from '../models/version-statistics.ts';
import type { CanaryOptions } from '../observe/canary.ts';
import type { MetricsSnapshot } from '../observe/metrics.ts';
import type { BatcherOptions } from '../queue/batcher.ts';
import type { Update } from '../servable/contract.ts';
import type { StatusCode } from '../status/serving-error.ts';

/** A call: the types of its request and of its response. */
export interface Call<Request, Response> {
  request: Request;
  response: Response;
}

/** The settings of a replica, sent once before any other call. */
export interface ReplicaSettings {
  models: readonly string[];
  limits: ServerLimits;
  queue: Pick<BatcherOptions, 'batch' | 'waitMs' | 'queued' | 'sliceMs'>;
  canary: CanaryOptions;
  keys: readonly ApiKey[];
  sites: SiteOptions;
  tls: TlsFiles | undefined;
  requestsPerSecond: number | undefined;
  rows: RowOptions;
  logLevel: string;
  serverVersion: string;
}

/** Metrics and statistics of a process since it started. */
export interface ReplicaReport {
  metrics: MetricsSnapshot;
  statistics: VersionReport[];
}

/** The calls from a server to a replica. */
export interface ReplicaCalls {
  start: Call<ReplicaSettings, void>;
  open: Call<{ model: string; version: FollowedVersion }, void>;
  drop: Call<{ model: string; version: number }, void>;
  show: Call<{ model: string; shown: ShownVersions }, void>;
  apply: Call<{ model: string; version: number; updates: readonly Update[] }, void>;
  report: Call<undefined, ReplicaReport>;
  /** The replica responds as long as its event loop runs. */
  ping: Call<undefined, void>;
  drain: Call<{ withinMs: number }, void>;
}

/** An error of the server that a replica passes on to its client. */
export interface Refusal {
  code: StatusCode;
  message: string;
}

/** The calls from a replica to its server. */
export interface ServerCalls {
  forward: Call<ForwardedRequest, ForwardedResponse>;
  snapshot: Call<{ model: string | undefined }, { version: number; file: string } | Refusal>;
}
