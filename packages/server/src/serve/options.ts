/** The options of a server, their defaults and their checks. */
import type { Logger } from 'pino';
import {
  BOOLEAN,
  LIST,
  NUMBER,
  OBJECT,
  type OptionsCheck,
  objectWith,
  optionsCheck,
  optionType,
  required,
  STRING,
} from 'shortlist/options';
import type { ApiKey } from '../access/api-keys.ts';
import type { TlsFiles } from '../access/tls-files.ts';
import type { ServerLimits } from '../context/serving-context.ts';
import type { FsyncPolicy } from '../journal/journal.ts';
import type { DamagePolicy } from '../journal/recovery.ts';
import { isPolicy, type VersionPolicy } from '../models/version-policy.ts';
import type { BatcherOptions } from '../queue/batcher.ts';

/** Most processes: each takes the memory of a copy, and no machine has more cores. */
export const PROCESSES_MAX = 64;

/** A model to serve. */
export interface ModelConfig {
  /** Its name in requests. */
  name: string;
  /** A folder of versions (1, 2, 3, …), a folder that holds one bundle, or a bundle file. */
  path: string;
  policy?: VersionPolicy;
  /** Label → version, given when that version serves. */
  labels?: Readonly<Record<string, number>>;
}

/** Options of a server. */
export interface ServerOptions {
  models: readonly ModelConfig[];
  /** Address to listen on; default 127.0.0.1: only this machine. */
  host?: string;
  /** Port for HTTP; default 8501, TF Serving's; 0 for any free one. */
  httpPort?: number;
  /** Port for gRPC; default 8500, TF Serving's; 0 for any free one; null for no gRPC. */
  grpcPort?: number | null;
  /**
   * Processes that answer queries, from 1 to 64; default 1. Each has an event loop and a copy of every model of its own: as
   * many times the memory for nearly as many times the queries, where there are cores. gRPC stays with the first.
   */
  processes?: number;
  limits?: Partial<ServerLimits>;
  queue?: Pick<BatcherOptions, 'batch' | 'waitMs' | 'queued' | 'sliceMs'>;
  /** Accepted API keys; without any, every client may do everything. */
  keys?: readonly ApiKey[];
  tls?: TlsFiles;
  /** Origins of web pages that may call the server (CORS); `*` for any page that only reads; default none. */
  corsOrigins?: readonly string[];
  /** Host names, beside localhost and addresses, under which a server without keys may be changed; default none. */
  allowedHosts?: readonly string[];
  /** Take note that a server on a host beyond this machine has no keys: no warning is logged. */
  insecure?: boolean;
  /** Requests a second from one address; default no limit. */
  requestsPerSecond?: number;
  /** When the journal is forced to the disk; default every 10 ms. */
  fsync?: FsyncPolicy;
  /**
   * What to do with a journal that is damaged before its end. 'replay' (default): keep a copy of it, replay every whole
   * request, and say in log, status and metrics what is lost. 'refuse': do not load its version, and change nothing.
   */
  journalDamage?: DamagePolicy;
  /**
   * What to do with a version whose journal another server appends to. 'serve' (default): answer queries, follow that
   * server's updates as often as folders are looked at, refuse updates, and take them over when it has ended. 'wait': do not
   * serve the version until then.
   */
  whenLocked?: 'serve' | 'wait';
  /** Journal bytes after which updates are written into a new version; default 64 MiB; Infinity for never. */
  compactAfterBytes?: number;
  /**
   * Share of candidates that drift would move to another leaf above which the index is built anew; default Infinity:
   * never, because a build takes the processor's time from queries.
   */
  rebalanceAfterShare?: number;
  /**
   * Versions that are kept in a folder, beside those that serve or have a label; default all. Older ones are deleted.
   */
  keepVersions?: number;
  /** Share of the queries the recall canary also answers exactly; default 0.001. */
  canaryShare?: number;
  /** How often folders of versions are looked at; default 1,000 ms; 0 for never. */
  pollMs?: number;
  /**
   * How long a stop goes on taking connections while it is not ready, so that load balancers notice; default 1,000 ms.
   */
  lameDuckMs?: number;
  /** How long a stop waits, after that, for requests under way; default 10,000 ms. */
  drainMs?: number;
  /** Default: pino, level info, to standard error. */
  logger?: Logger;
}

/** Bounds on requests unless said otherwise. */
export const DEFAULT_LIMITS: ServerLimits = {
  // A batch of 256 queries of 1,000 results is a response of some 10 MB: as much as one request should hold.
  queries: 256,
  k: 1000,
  // Room for 256 embeddings of 1,024 numbers as text.
  bodyBytes: 4 << 20,
  // TF Serving's.
  deadlineMs: 30_000,
  arrivalMs: 10_000,
};

/** The options of a server's queue. */
type QueueOptions = NonNullable<ServerOptions['queue']>;

const STRINGS = optionType('a list of strings', (value) => isListOf(value, (item) => typeof item === 'string'));
const checkServer = optionsCheck<ServerOptions>('ShortlistServer.start', {
  models: required(LIST),
  host: STRING,
  httpPort: NUMBER,
  grpcPort: optionType('a number or null', (value) => typeof value === 'number' || value === null),
  processes: NUMBER,
  limits: OBJECT,
  queue: OBJECT,
  keys: LIST,
  tls: OBJECT,
  corsOrigins: STRINGS,
  allowedHosts: STRINGS,
  insecure: BOOLEAN,
  requestsPerSecond: NUMBER,
  fsync: optionType('"always" or { everyMs }', (value) => value === 'always' || OBJECT.accepts(value)),
  journalDamage: optionType('"replay" or "refuse"', (value) => value === 'replay' || value === 'refuse'),
  whenLocked: optionType('"serve" or "wait"', (value) => value === 'serve' || value === 'wait'),
  compactAfterBytes: NUMBER,
  rebalanceAfterShare: NUMBER,
  keepVersions: NUMBER,
  canaryShare: NUMBER,
  pollMs: NUMBER,
  lameDuckMs: NUMBER,
  drainMs: NUMBER,
  logger: objectWith('a logger of pino', 'info', 'warn', 'error'),
});
const checkModel = optionsCheck<ModelConfig>('a model of ShortlistServer.start', {
  name: required(STRING),
  path: required(STRING),
  policy: optionType('{ latest: n }, { all: true } or { specific: [versions] }', isPolicy),
  labels: OBJECT,
});
const checkLimits = optionsCheck<Partial<ServerLimits>>('limits of ShortlistServer.start', {
  queries: NUMBER,
  k: NUMBER,
  bodyBytes: NUMBER,
  deadlineMs: NUMBER,
  arrivalMs: NUMBER,
});
const checkQueue = optionsCheck<QueueOptions>('queue of ShortlistServer.start', {
  batch: NUMBER,
  waitMs: NUMBER,
  queued: NUMBER,
  sliceMs: NUMBER,
});
const checkKey = optionsCheck<ApiKey>('a key of ShortlistServer.start', {
  name: required(STRING),
  sha256: required(STRING),
  role: required(STRING),
});
const checkTls = optionsCheck<TlsFiles>('tls of ShortlistServer.start', {
  cert: required(STRING),
  key: required(STRING),
  ca: STRING,
});
const checkFsync = optionsCheck<Exclude<FsyncPolicy, string>>('fsync of ShortlistServer.start', {
  everyMs: required(NUMBER),
});
/** The check of what `ShortlistServer.close` takes. */
export const checkClose: OptionsCheck = optionsCheck<{ lameDuckMs?: number }>('ShortlistServer.close', {
  lameDuckMs: NUMBER,
});

/**
 * Check names and types of the options of a server and of all within them.
 *
 * @throws {OptionError} naming the option, and the nearest known name of an unknown one
 */
export function checkServerOptions(options: ServerOptions): ServerOptions {
  const { models, limits = {}, queue = {}, keys = [], tls, fsync } = checkServer(options);
  for (let i = 0; i < models.length; i++) checkModel(models[i]!);
  checkLimits(limits);
  checkQueue(queue);
  for (let i = 0; i < keys.length; i++) checkKey(keys[i]!);
  if (tls) checkTls(tls);
  if (typeof fsync === 'object') checkFsync(fsync);
  return options;
}

function isListOf(value: unknown, accepts: (item: unknown) => boolean): boolean {
  return Array.isArray(value) && value.every(accepts);
}
