/**
 * Manages the replicas of a server: starts them, lets them follow the models, replaces those that end, and drains them.
 */
import type { Logger } from 'pino';
import type { Peers } from '../context/serving-context.ts';
import type { Model } from '../models/model.ts';
import type { ModelRegistry } from '../models/registry.ts';
import type { VersionReport } from '../models/version-statistics.ts';
import type { MetricsSnapshot } from '../observe/metrics.ts';
import type { Handlers } from './channel.ts';
import type { ReplicaSettings, ServerCalls } from './protocol.ts';
import { ReplicaMetrics } from './replica-metrics.ts';
import { ReplicaProcess } from './replica-process.ts';

/** Pause before a replica that ended is replaced. It doubles each time a replica ends before it serves. */
const RESTART_MS = 500;
const RESTART_MS_MAX = 30_000;

/** Keeps a fixed number of replicas running. */
export class Replicas implements Peers {
  readonly #count: number;
  readonly #registry: ModelRegistry;
  readonly #answering: Handlers<ServerCalls>;
  readonly #logger: Logger;
  readonly #all = new Set<ReplicaProcess>();
  readonly #serving = new Set<ReplicaProcess>();
  readonly #restarts = new Set<NodeJS.Timeout>();
  readonly #metrics: ReplicaMetrics;
  #settings: ReplicaSettings | undefined;
  /** Replicas that follow the first load of the models; undefined before that load. */
  #first: readonly ReplicaProcess[] | undefined;
  #failures = 0;
  #isStopping = false;

  constructor(count: number, registry: ModelRegistry, answering: Handlers<ServerCalls>, logger: Logger) {
    this.#count = count;
    this.#registry = registry;
    this.#answering = answering;
    this.#logger = logger;
    this.#metrics = new ReplicaMetrics(registry, () => this.serving);
  }

  /** Replicas that accept connections. */
  get serving(): readonly ReplicaProcess[] {
    return [...this.#serving];
  }

  /** Start all replicas. The models may be added later. */
  start(settings: ReplicaSettings): void {
    this.#settings = settings;
    for (let i = 0; i < this.#count; i++) this.#spawn();
  }

  /** Let the replicas follow the models, before any model has loaded a version. */
  follow(): void {
    this.#first = [...this.#all];
    for (const { followers } of this.#registry.models) for (const replica of this.#first) followers.add(replica);
  }

  /** Let the replicas accept connections. Resolves when all of them can. */
  async serve(): Promise<void> {
    await Promise.all(this.#first!.map((replica) => replica.started));
    // A replica that has ended meanwhile is being replaced; the new one accepts connections once it has opened the same
    // versions.
    for (const replica of this.#first!) if (this.#all.has(replica)) this.#serving.add(replica);
  }

  statistics(): Promise<readonly VersionReport[]> {
    return this.#metrics.statistics();
  }

  metrics(): Promise<readonly MetricsSnapshot[]> {
    return this.#metrics.metrics();
  }

  /**
   * Resolves when the connections of the replicas have ended, at the latest after a time; new connections go to this
   * process.
   */
  async drain(withinMs: number): Promise<void> {
    this.#startNoMore();
    this.#serving.clear();
    await Promise.all([...this.#all].map((replica) => replica.drain(withinMs)));
  }

  /** End all replicas. */
  async stop(): Promise<void> {
    this.#startNoMore();
    await Promise.all([...this.#all].map((replica) => replica.stop()));
  }

  #startNoMore(): void {
    this.#isStopping = true;
    this.#metrics.stop();
    for (const restart of this.#restarts) clearTimeout(restart);
  }

  #spawn(): ReplicaProcess | undefined {
    let replica: ReplicaProcess;
    try {
      replica = new ReplicaProcess(this.#settings!, this.#answering, this.#logger);
    } catch (err) {
      // If the system cannot start another process, for example for lack of memory, this one keeps serving.
      this.#logger.error({ err }, 'a replica could not be started');
      this.#restartLater();
      return undefined;
    }
    this.#logger.info({ replica: replica.pid }, 'a replica was started');
    this.#all.add(replica);
    void replica.ended.then(() => this.#ended(replica));
    return replica;
  }

  #ended(replica: ReplicaProcess): void {
    const served = this.#serving.delete(replica);
    this.#all.delete(replica);
    this.#metrics.ended(replica);
    for (const model of this.#registry.models) model.followers.delete(replica);
    if (this.#isStopping) return;
    if (served) this.#failures = 0;
    this.#restartLater();
  }

  #restartLater(): void {
    const restart = setTimeout(
      () => {
        this.#restarts.delete(restart);
        void this.#restart();
      },
      Math.min(RESTART_MS_MAX, RESTART_MS * 2 ** this.#failures++),
    );
    restart.unref();
    this.#restarts.add(restart);
  }

  /** Start a replica while models serve; it accepts connections once it serves the same versions. */
  async #restart(): Promise<void> {
    const replica = this.#spawn();
    if (!this.#first || !replica) return;
    const admit = async (model: Model): Promise<void> => {
      try {
        await model.admit(replica);
      } catch (error) {
        replica.kill((error as Error).message);
        await replica.ended;
      }
      // The replica may have ended meanwhile.
      if (!this.#all.has(replica)) model.followers.delete(replica);
    };
    await Promise.all([replica.started, ...this.#registry.models.map(admit)]);
    if (!this.#all.has(replica) || this.#isStopping) return;
    this.#serving.add(replica);
    this.#logger.info({ replica: replica.pid }, 'a replica serves again');
  }
}
