/**
 * The server: it loads and watches models, listens for HTTP and gRPC, and stops without losing a request.
 *
 * The server is ready when every model serves a version in every process. `close` first reports that the server is not
 * ready but accepts connections for a while (lame duck), so that load balancers stop sending them. Then it accepts no
 * new connections, lets requests under way finish within `drainMs`, and closes the journals last.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Logger, pino } from 'pino';
import { OptionError } from 'shortlist';
import { ApiKeys } from '../access/api-keys.ts';
import { readTls } from '../access/tls-files.ts';
import { NO_PEERS, type ServerLimits, type ServingContext } from '../context/serving-context.ts';
import { JournalLocks } from '../journal/lock.ts';
import { type LoadOptions, loadVersion } from '../models/load-version.ts';
import { ModelRegistry } from '../models/registry.ts';
import { type Snapshot, snapshot } from '../models/snapshot.ts';
import type { VersionLoader } from '../models/version-record.ts';
import { Metrics } from '../observe/metrics.ts';
import type { Handlers } from '../replicas/channel.ts';
import type { Refusal, ServerCalls } from '../replicas/protocol.ts';
import { Replicas } from '../replicas/replicas.ts';
import { modelOf } from '../shortlist/operations.ts';
import { PACKAGE_FOLDER } from '../status/package-folder.ts';
import { toServingError } from '../status/serving-error.ts';
import { buildModel } from './build-model.ts';
import { Listeners } from './listeners.ts';
import { ModelWatch } from './model-watch.ts';
import { checkClose, checkServerOptions, DEFAULT_LIMITS, PROCESSES_MAX, type ServerOptions } from './options.ts';
import { canaryOptions, DEFAULT_HOST, isLoopback, replicaSettings, siteOptions } from './settings.ts';

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
  readonly #limits: ServerLimits;
  readonly #listeners = new Listeners();
  readonly #watch: ModelWatch;
  #replicas: Replicas | undefined;
  #closing: Promise<void> | undefined;
  /**
   * Whether replicas accept connections. The server is not ready before, because a client that connected earlier would
   * stay with this process.
   */
  #hasStarted = false;
  #wasReady: boolean | undefined;

  private constructor(options: ServerOptions) {
    this.#options = options;
    this.#limits = { ...DEFAULT_LIMITS, ...options.limits };
    this.logger = options.logger ?? pino({ level: 'info' }, pino.destination(2));
    const fsync = options.fsync ?? { everyMs: 10 };
    const { journalDamage: onDamage = 'replay', whenLocked = 'serve', rows, rowCacheBytes } = options;
    const locks = new JournalLocks({
      onTakeOver: (folder, owner, why) =>
        this.logger.warn({ folder, owner, why }, 'took over the lock of a journal, which was stale'),
    });
    const loadOptions: LoadOptions = { fsync, locks, onDamage, whenLocked, rows, rowCacheBytes };
    const load: VersionLoader = (path, isBeside, lock) => loadVersion(path, loadOptions, isBeside, lock);
    this.#load = load;
    this.#watch = new ModelWatch({ options, load, logger: this.logger, onLook: () => this.#sayReadiness() });
  }

  /**
   * Listen at once, then load; /v2/health/ready reports when the server can answer queries. Resolves when each model
   * has been tried, even if some failed.
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

  /** Port of HTTP. */
  get httpPort(): number {
    return this.#listeners.httpPort;
  }

  /** Port of gRPC; 0 if gRPC is off. */
  get grpcPort(): number {
    return this.#listeners.grpcPort;
  }

  /** Longest time that a stop takes before it closes the models' journals. */
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
   * Stop the server: report that it is not ready, accept connections for the lame-duck time, drain, unload. A second
   * call waits for the same stop.
   *
   * @param options.lameDuckMs replaces the server's option of that name
   */
  async close(options: { lameDuckMs?: number } = {}): Promise<void> {
    const { lameDuckMs = this.#lameDuckMs } = checkClose(options);
    this.#closing ??= this.#close(lameDuckMs);
    return this.#closing;
  }

  async #listen(): Promise<void> {
    const { host = DEFAULT_HOST, keys, tls: files, processes = 1 } = this.#options;
    if (!Number.isSafeInteger(processes) || processes < 1 || processes > PROCESSES_MAX) {
      throw new OptionError(`processes: expected a whole number from 1 to ${PROCESSES_MAX}, got ${processes}`);
    }
    const forwarded: Handlers<ServerCalls> = {
      forward: (request) => this.#listeners.forward(request),
      snapshot: ({ model }) => this.#snapshot(model).then(({ version, file }) => ({ version, file }), refusalOf),
    };
    const replicas = processes > 1 ? new Replicas(processes - 1, this.registry, forwarded, this.logger) : undefined;
    this.#replicas = replicas;
    const apiKeys = new ApiKeys(keys);
    if (!apiKeys.required && !isLoopback(host) && !this.#options.insecure) {
      this.logger.warn(
        { host },
        'NO API KEYS: everybody who reaches this host can query, change and unload its models; give keys, or set insecure if this is intended',
      );
    }
    const tls = files && readTls(files);
    // The replicas start while this process loads its own modules.
    const common = { limits: this.#limits, logLevel: this.logger.level, serverVersion: SERVER_VERSION };
    replicas?.start(replicaSettings(this.#options, common));
    const context: ServingContext = {
      registry: this.registry,
      load: this.#load,
      snapshot: (model) => this.#snapshot(model),
      limits: this.#limits,
      keys: apiKeys,
      sites: siteOptions(this.#options),
      metrics: this.metrics,
      logger: this.logger,
      peers: replicas ?? NO_PEERS,
      serverVersion: SERVER_VERSION,
      isReady: () => this.isReady,
    };
    await this.#listeners.listen(context, replicas, tls, this.#options);
    const { httpPort, grpcPort } = this;
    this.logger.info({ host, httpPort, grpcPort, processes }, 'listening');
  }

  async #loadModels(): Promise<void> {
    const { models, queue = {} } = this.#options;
    const { metrics, logger } = this;
    const surroundings = { load: this.#load, metrics, logger, queue, canary: canaryOptions(this.#options) };
    const built = await Promise.all(models.map((config) => buildModel(config, surroundings)));
    for (const model of built) this.registry.add(model);
    this.#replicas?.follow();
    await this.#watch.loadAll(built);
    await this.#replicas?.serve();
    this.#hasStarted = true;
    this.#sayReadiness();
    this.#watch.poll(built);
  }

  async #snapshot(name: string | undefined): Promise<Snapshot> {
    return snapshot(modelOf(this.registry, name));
  }

  #sayReadiness(): void {
    if (!this.#hasStarted || this.isReady === this.#wasReady) return;
    this.#wasReady = this.isReady;
    this.#listeners.setServing(this.isReady);
    this.logger.info({ ready: this.isReady }, 'readiness changed');
  }

  async #close(lameDuckMs: number): Promise<void> {
    const drainMs = this.#drainMs;
    this.#listeners.setServing(false);
    this.#listeners.stopWatching();
    this.#watch.stop();
    // A server that was never ready has no clients, so it needs no lame-duck time.
    if (this.#hasStarted && lameDuckMs > 0) await sleep(lameDuckMs);
    await this.#listeners.close(drainMs);
    await this.#replicas?.stop();
    await this.#watch.compacted();
    await Promise.all(this.registry.models.map((model) => model.unload()));
    this.logger.info('stopped');
  }
}

function refusalOf(error: unknown): Refusal {
  const { code, message } = toServingError(error);
  return { code, message };
}
