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

/** Largest number of processes. Each takes the memory of a copy of every model, and few machines have more cores. */
export const PROCESSES_MAX = 64;

/** A model to serve. */
export interface ModelConfig {
  /** Its name in requests. */
  name: string;
  /** A folder of versions (1, 2, 3, …), a folder that holds one bundle, or a bundle file. */
  path: string;
  policy?: VersionPolicy;
  /** Label → version. A label is assigned once its version serves. */
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
   * Processes that answer queries, from 1 to 64; default 1. Each has its own event loop and its own copy of every
   * model, so n processes take n times the memory and, given n cores, answer nearly n times the queries. Only the first
   * process serves gRPC.
   */
  processes?: number;
  limits?: Partial<ServerLimits>;
  queue?: Pick<BatcherOptions, 'batch' | 'waitMs' | 'queued' | 'sliceMs'>;
  /** Accepted API keys; if there are none, every client may do everything. */
  keys?: readonly ApiKey[];
  tls?: TlsFiles;
  /** Origins of web pages that may call the server (CORS); `*` for any page that only reads; default none. */
  corsOrigins?: readonly string[];
  /**
   * Host names under which a server without keys may be changed, in addition to localhost and IP addresses; default
   * none.
   */
  allowedHosts?: readonly string[];
  /** Allow a server without API keys on an address that other machines reach, without logging a warning. */
  insecure?: boolean;
  /** Most requests per second from one address; default no limit. */
  requestsPerSecond?: number;
  /** The policy of forcing the journal to the disk; default every 10 ms. */
  fsync?: FsyncPolicy;
  /**
   * Handling of a journal that is damaged before its end. 'replay' (default): keep a copy of the journal, replay every
   * whole request, and report in log, status and metrics what is lost. 'refuse': do not load the version, and change no
   * file.
   */
  journalDamage?: DamagePolicy;
  /**
   * Handling of a version whose journal another server appends to. 'serve' (default): answer queries, apply that
   * server's updates whenever folders are read (`pollMs`), refuse updates from clients, and accept them once the other
   * server has ended. 'wait': do not serve the version until the other server has ended.
   */
  whenLocked?: 'serve' | 'wait';
  /**
   * Size of a journal, in bytes, at which its updates are written into a new version; default 64 MiB; Infinity for
   * never.
   */
  compactAfterBytes?: number;
  /**
   * Drift above which the index is rebuilt, as the share of candidates that belong in another leaf than the one they
   * are in; default Infinity: never, because a build takes processor time from queries.
   */
  rebalanceAfterShare?: number;
  /**
   * Number of newest versions that are kept in a folder, in addition to those that serve or have a label; default all.
   * Older versions are deleted.
   */
  keepVersions?: number;
  /**
   * Share of the queries that the recall canary searches again exactly; default 0.001, and 0 with rows in the file, all of which
   * an exact search reads.
   */
  canaryShare?: number;
  /**
   * The place of the rows with which a ScaNN index scores its best candidates again. 'file': they are read from the bundle, which
   * stays open, so that memory holds the codes alone; versions then take no updates, and a version whose journal has some is not
   * loaded. Default 'memory'.
   */
  rows?: 'memory' | 'file';
  /** Bytes of rows from a file that each process keeps in memory for each version; default 64 MiB. */
  rowCacheBytes?: number;
  /** Time between two readings of the folders of versions; default 1,000 ms; 0: they are read only once. */
  pollMs?: number;
  /**
   * Lame-duck time: how long a stopping server reports that it is not ready but still accepts connections, so that load
   * balancers stop sending them; default 1,000 ms.
   */
  lameDuckMs?: number;
  /** Longest time that a stopping server then waits for requests under way; default 10,000 ms. */
  drainMs?: number;
  /** The logger; default pino at level info, writing to standard error. */
  logger?: Logger;
}

/** Default bounds on requests. */
export const DEFAULT_LIMITS: ServerLimits = {
  // 256 queries with 1,000 results each make a response of some 10 MB, as much as one request should cause.
  queries: 256,
  k: 1000,
  // Room for 256 embeddings of 1,024 numbers as text.
  bodyBytes: 4 << 20,
  // The default of TF Serving.
  deadlineMs: 30_000,
  arrivalMs: 10_000,
  // A client that vanished without closing is found within the time that HTTP keeps an idle connection (72 s). More
  // pings would keep radios of idle clients awake.
  pingMs: 60_000,
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
  rows: optionType('"memory" or "file"', (value) => value === 'memory' || value === 'file'),
  rowCacheBytes: NUMBER,
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
  pingMs: NUMBER,
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
/** The check of the options of `ShortlistServer.close`. */
export const checkClose: OptionsCheck = optionsCheck<{ lameDuckMs?: number }>('ShortlistServer.close', {
  lameDuckMs: NUMBER,
});

/**
 * Check the names and types of a server's options and of all objects within them.
 *
 * @throws {OptionError} naming the option; for an unknown name also the nearest known one
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
