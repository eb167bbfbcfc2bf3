/**
 * The server: it loads and watches models, listens for HTTP and gRPC, and stops without losing a request.
 *
 * Ready means that every model serves a version in every process. `close` says not ready first and goes on taking
 * connections for a while (lame duck), so that load balancers stop sending any. Then it takes no new connections, lets
 * requests under way finish within `drainMs`, and closes the journals last.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Logger, pino } from 'pino';
import { OptionError } from 'shortlist';
import { ApiKeys } from '../access/api-keys.ts';
import type { SiteOptions } from '../access/site-check.ts';
import { readTls } from '../access/tls-files.ts';
import { NO_PEERS, type ServerLimits, type ServingContext } from '../context/serving-context.ts';
import type { GrpcServer } from '../grpc/server.ts';
import { renewCertificates } from '../http/certificates.ts';
import { JournalLocks } from '../journal/lock.ts';
import { compact } from '../models/compaction.ts';
import { type LoadOptions, loadVersion } from '../models/load-version.ts';
import type { Model } from '../models/model.ts';
import { ModelRegistry } from '../models/registry.ts';
import { removeOldVersions } from '../models/retention.ts';
import { type Snapshot, snapshot } from '../models/snapshot.ts';
import type { VersionLoader } from '../models/version-record.ts';
import type { CanaryOptions } from '../observe/canary.ts';
import { watchDescriptors } from '../observe/descriptor-watch.ts';
import { Metrics } from '../observe/metrics.ts';
import type { Handlers } from '../replicas/channel.ts';
import type { Refusal, ReplicaSettings, ServerCalls } from '../replicas/protocol.ts';
import { Replicas } from '../replicas/replicas.ts';
import { modelOf } from '../shortlist/operations.ts';
import { PACKAGE_FOLDER } from '../status/package-folder.ts';
import { toServingError } from '../status/serving-error.ts';
import { buildModel } from './build-model.ts';
import { type HttpListener, listenHttp } from './http-listener.ts';
import {
  checkClose,
  checkServerOptions,
  DEFAULT_LIMITS,
  type ModelConfig,
  PROCESSES_MAX,
  type ServerOptions,
} from './options.ts';

/** Address to listen on: only this machine reaches it. */
const DEFAULT_HOST = '127.0.0.1';
/** A folder without a version is looked at every second, and spoken of once a minute. */
const SAID_AGAIN_MS = 60_000;
/** Share of the queries that the recall canary searches again: one in a thousand. */
const CANARY_SHARE = 0.001;

const { version: SERVER_VERSION } = JSON.parse(readFileSync(join(PACKAGE_FOLDER, 'package.json'), 'utf8')) as {
  version: string;
};

/** A running server. */
export class ShortlistServer {
  readonly registry: ModelRegistry = new ModelRegistry();
  readonly metrics: Metrics = new Metrics(this.registry);
  readonly logger: Logger;
  readonly #options: ServerOptions;
  readonly #load: VersionLoader;
  readonly #stops: (() => void)[] = [];
  readonly #limits: ServerLimits;
  #http: HttpListener | undefined;
  #replicas: Replicas | undefined;
  #grpc: GrpcServer | undefined;
  #grpcPort = 0;
  #closing: Promise<void> | undefined;
  #compacting: Promise<unknown> = Promise.resolve();
  /** Whether replicas take connections: a client that connected before would stay with this process. */
  #hasStarted = false;
  #wasReady: boolean | undefined;
  readonly #saidNothing = new Map<Model, number>();

  private constructor(options: ServerOptions) {
    this.#options = options;
    this.#limits = { ...DEFAULT_LIMITS, ...options.limits };
    this.logger = options.logger ?? pino({ level: 'info' }, pino.destination(2));
    const fsync = options.fsync ?? { everyMs: 10 };
    const { journalDamage: onDamage = 'replay', whenLocked = 'serve' } = options;
    const locks = new JournalLocks({
      onTakeOver: (folder, owner, why) =>
        this.logger.warn({ folder, owner, why }, 'the lock of a journal was stale and is taken over'),
    });
    const loadOptions: LoadOptions = { fsync, locks, onDamage, whenLocked };
    this.#load = (path, isBeside, lock) => loadVersion(path, loadOptions, isBeside, lock);
  }

  /**
   * Listen at once, then load; `ready` in /v2/health/ready says when it can be asked. Resolves when every model was
   * tried.
   *
   * @throws {OptionError} when an option is unknown, is missing or is of another type
   * @throws when a port cannot be listened on or a certificate cannot be read
   */
  static async start(options: ServerOptions): Promise<ShortlistServer> {
    const server = new ShortlistServer(checkServerOptions(options));
    try {
      await server.#listen();
      await server.#loadModels();
    } catch (error) {
      await server.close();
      throw error;
    }
    return server;
  }

  /** Where HTTP listens. */
  get httpPort(): number {
    return this.#http?.port ?? 0;
  }

  /** Where gRPC listens; 0 when it does not. */
  get grpcPort(): number {
    return this.#grpcPort;
  }

  /** Longest time a stop takes before it closes the models' journals. */
  get stopMs(): number {
    return this.#lameDuckMs + this.#drainMs;
  }

  get #lameDuckMs(): number {
    return this.#options.lameDuckMs ?? 1_000;
  }

  get #drainMs(): number {
    return this.#options.drainMs ?? 10_000;
  }

  get isReady(): boolean {
    return this.#hasStarted && this.#closing === undefined && this.registry.ready;
  }

  /**
   * Stop: be not ready, take connections for the lame-duck time, drain, unload. Another call waits for the same stop.
   *
   * @param options.lameDuckMs instead of the option of that name
   */
  async close(options: { lameDuckMs?: number } = {}): Promise<void> {
    const { lameDuckMs = this.#lameDuckMs } = checkClose(options);
    this.#closing ??= this.#close(lameDuckMs);
    return this.#closing;
  }

  async #listen(): Promise<void> {
    const { host = DEFAULT_HOST, httpPort = 8501, grpcPort = 8500, keys, tls: files, processes = 1 } = this.#options;
    if (!Number.isSafeInteger(processes) || processes < 1 || processes > PROCESSES_MAX) {
      throw new OptionError(`processes: expected a whole number from 1 to ${PROCESSES_MAX}, got ${processes}`);
    }
    const forwarded: Handlers<ServerCalls> = {
      forward: (request) => answerForwarded(app, request),
      snapshot: ({ model }) => this.#snapshot(model).then(({ version, file }) => ({ version, file }), refusalOf),
    };
    const replicas = processes > 1 ? new Replicas(processes - 1, this.registry, forwarded, this.logger) : undefined;
    this.#replicas = replicas;
    const apiKeys = new ApiKeys(keys);
    if (!apiKeys.required && !isLoopback(host) && !this.#options.insecure) {
      this.logger.warn(
        { host },
        'NO API KEYS: everybody who reaches this host can query, change and unload its models; give keys, or insecure to say that this is meant',
      );
    }
    const tls = files && readTls(files);
    // Other processes start while this one loads what it answers with.
    replicas?.start(this.#replicaSettings());
    const { createHttpApp } = await import('../http/app.ts');
    const { answerForwarded } = await import('../http/forwarding.ts');
    const context: ServingContext = {
      registry: this.registry,
      load: this.#load,
      snapshot: (model) => this.#snapshot(model),
      limits: this.#limits,
      keys: apiKeys,
      sites: this.#sites,
      metrics: this.metrics,
      logger: this.logger,
      peers: replicas ?? NO_PEERS,
      serverVersion: SERVER_VERSION,
      isReady: () => this.isReady,
    };
    const { requestsPerSecond } = this.#options;
    const app = await createHttpApp(context, { tls, requestsPerSecond });
    const isByAddress = requestsPerSecond !== undefined;
    this.#http = await listenHttp(app, replicas, { host, port: httpPort, isByAddress });
    this.#stops.push(watchDescriptors(this.metrics.descriptorObserver(this.logger)));
    if (files) this.#stops.push(renewCertificates(app, files, this.logger));
    if (grpcPort !== null) {
      // Loaded where it listens: a server without gRPC starts sooner.
      const { GrpcServer } = await import('../grpc/server.ts');
      this.#grpc = new GrpcServer(context);
      this.#grpcPort = await this.#grpc.listen(host, grpcPort, files);
    }
    this.logger.info({ host, httpPort: this.httpPort, grpcPort: this.#grpcPort, processes }, 'listening');
  }

  async #loadModels(): Promise<void> {
    const { models, queue = {}, pollMs = 1000 } = this.#options;
    const { metrics, logger } = this;
    const surroundings = { load: this.#load, metrics, logger, queue, canary: this.#canary };
    const built = await Promise.all(models.map((config) => buildModel(config, surroundings)));
    for (const model of built) this.registry.add(model);
    this.#replicas?.follow();
    await Promise.all(built.map((model, i) => this.#refresh(model, models[i]!)));
    await this.#replicas?.serve();
    this.#hasStarted = true;
    this.#sayReadiness();
    if (pollMs === 0) return;
    built.forEach((model, i) => {
      const timer = setInterval(() => void this.#refresh(model, models[i]!), pollMs);
      timer.unref();
      this.#stops.push(() => clearInterval(timer));
    });
  }

  get #canary(): CanaryOptions {
    const { canaryShare: share = CANARY_SHARE, processes = 1 } = this.#options;
    return { share, processes };
  }

  async #snapshot(name: string | undefined): Promise<Snapshot> {
    return snapshot(modelOf(this.registry, name));
  }

  get #sites(): SiteOptions {
    const { corsOrigins = [], allowedHosts = [], host = DEFAULT_HOST } = this.#options;
    return { origins: corsOrigins, hosts: [...allowedHosts, host] };
  }

  #replicaSettings(): ReplicaSettings {
    const { models, queue = {}, keys = [], tls, requestsPerSecond } = this.#options;
    return {
      models: models.map(({ name }) => name),
      limits: this.#limits,
      queue,
      canary: this.#canary,
      keys,
      sites: this.#sites,
      tls,
      requestsPerSecond,
      logLevel: this.logger.level,
      serverVersion: SERVER_VERSION,
    };
  }

  /** Bring a model in line with its folder, its labels with its versions, and its journal back to size. */
  async #refresh(model: Model, { labels = {} }: ModelConfig): Promise<void> {
    try {
      await model.reconcile();
      for (const [label, version] of Object.entries(labels)) {
        if (!model.labels.has(label) && model.records.some((r) => r.version === version && r.state === 'AVAILABLE')) {
          model.setLabel(label, version);
        }
      }
    } catch (error) {
      this.logger.error({ err: error, model: model.name }, 'versions could not be looked at');
    }
    this.#sayReadiness();
    this.#sayNothingFound(model);
    await this.#removeOldVersions(model).catch((err: unknown) =>
      this.logger.error({ err, model: model.name }, 'old versions could not be removed'),
    );
    this.#compactWhenLarge(model);
  }

  /** Remove versions beyond those that are kept. Without its journal this server is not the one that writes there. */
  async #removeOldVersions(model: Model): Promise<void> {
    const { keepVersions } = this.#options;
    if (keepVersions === undefined || !model.newest?.journal || this.#closing) return;
    const versions = await removeOldVersions(model, keepVersions);
    if (versions.length > 0) this.logger.info({ model: model.name, versions }, 'old versions were removed');
  }

  #compactWhenLarge(model: Model): void {
    const { compactAfterBytes = 64 << 20, rebalanceAfterShare = Number.POSITIVE_INFINITY } = this.#options;
    const bytes = model.newest?.journal?.sizeBytes ?? 0;
    if (this.#closing || model.isCompacting) return;
    const watchesDrift = rebalanceAfterShare < Number.POSITIVE_INFINITY && model.newest?.journal;
    const movedShare = watchesDrift ? (model.newest?.served?.servable.drift()?.movedShare ?? 0) : 0;
    const rebalance = movedShare > rebalanceAfterShare;
    if (bytes < compactAfterBytes && !rebalance) return;
    this.#compacting = compact(model, this.#load, { rebalance })
      .then((version) =>
        this.logger.info(
          { model: model.name, version, movedShare, rebalance },
          'updates were written into a new version',
        ),
      )
      .catch((error: unknown) => this.logger.error({ err: error, model: model.name }, 'compaction failed'));
  }

  /** Say, when it is found and once in a while, that a folder holds no version: it may be the wrong one. */
  #sayNothingFound(model: Model): void {
    if (model.records.length > 0) {
      this.#saidNothing.delete(model);
      return;
    }
    const now = performance.now();
    if (now - (this.#saidNothing.get(model) ?? Number.NEGATIVE_INFINITY) < SAID_AGAIN_MS) return;
    this.#saidNothing.set(model, now);
    this.logger.warn(
      { model: model.name, path: model.basePath },
      'there is no version: expected folders named 1, 2, 3, … with a bundle (*.shortlist) each, or one bundle',
    );
  }

  #sayReadiness(): void {
    if (!this.#hasStarted || this.isReady === this.#wasReady) return;
    this.#wasReady = this.isReady;
    this.#grpc?.setServing(this.isReady);
    this.logger.info({ ready: this.isReady }, 'readiness');
  }

  async #close(lameDuckMs: number): Promise<void> {
    const drainMs = this.#drainMs;
    this.#grpc?.setServing(false);
    for (const stop of this.#stops) stop();
    // A server that never served has no clients.
    if (this.#hasStarted && lameDuckMs > 0) await sleep(lameDuckMs);
    await Promise.all([this.#http?.close(drainMs), this.#grpc?.close(drainMs)]);
    await this.#replicas?.stop();
    await this.#compacting;
    await Promise.all(this.registry.models.map((model) => model.unload()));
    this.logger.info('stopped');
  }
}

/** Whether a host is reached from this machine only. */
function isLoopback(host: string): boolean {
  return host === 'localhost' || host.endsWith('.localhost') || host === '::1' || /^127(\.\d+){3}$/.test(host);
}

function refusalOf(error: unknown): Refusal {
  const { code, message } = toServingError(error);
  return { code, message };
}
