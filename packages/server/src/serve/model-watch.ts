/**
 * Watches the folders of a server's models: loads and retires versions, removes old versions, compacts a large journal
 * into a new version, and warns of a folder without a version.
 */
import type { Logger } from 'pino';
import { compact } from '../models/compaction.ts';
import type { Model } from '../models/model.ts';
import { removeOldVersions } from '../models/retention.ts';
import type { VersionLoader } from '../models/version-record.ts';
import type { ModelConfig, ServerOptions } from './options.ts';

/** Time between two warnings about the same folder without a version; the folder itself is read every second. */
const SAID_AGAIN_MS = 60_000;

/** Options of a watch. */
export interface ModelWatchOptions {
  options: ServerOptions;
  load: VersionLoader;
  logger: Logger;
  /** Called after each reading of the folders: the server may have become ready, or may no longer be. */
  onLook: () => void;
}

/** Reads the folders of the models at once, then every `pollMs` until it is stopped. */
export class ModelWatch {
  readonly #options: ModelWatchOptions;
  readonly #timers: NodeJS.Timeout[] = [];
  readonly #saidNothing = new Map<Model, number>();
  #isStopped = false;
  #compacting: Promise<unknown> = Promise.resolve();

  constructor(options: ModelWatchOptions) {
    this.#options = options;
  }

  /** Load the versions of each model; resolves when each has been tried, even if some failed. */
  async loadAll(models: readonly Model[]): Promise<void> {
    const { options } = this.#options;
    await Promise.all(models.map((model, i) => this.#refresh(model, options.models[i]!)));
  }

  /** Read the folders again every `pollMs`; never if that is 0. */
  poll(models: readonly Model[]): void {
    const { models: configs, pollMs = 1000 } = this.#options.options;
    if (pollMs === 0 || this.#isStopped) return;
    models.forEach((model, i) => {
      const timer = setInterval(() => void this.#refresh(model, configs[i]!), pollMs);
      timer.unref();
      this.#timers.push(timer);
    });
  }

  /** Read the folders no more, and start no more compactions and removals. */
  stop(): void {
    this.#isStopped = true;
    for (const timer of this.#timers) clearInterval(timer);
  }

  /** Resolves when no compaction is under way. */
  compacted(): Promise<unknown> {
    return this.#compacting;
  }

  /**
   * Load and retire versions as the folder requires, assign labels to versions that now serve, and compact a large
   * journal.
   */
  async #refresh(model: Model, { labels = {} }: ModelConfig): Promise<void> {
    const { logger, onLook } = this.#options;
    try {
      await model.reconcile();
      for (const [label, version] of Object.entries(labels)) {
        if (!model.labels.has(label) && model.records.some((r) => r.version === version && r.state === 'AVAILABLE')) {
          model.setLabel(label, version);
        }
      }
    } catch (error) {
      logger.error({ err: error, model: model.name }, 'the versions of a model could not be checked');
    }
    onLook();
    this.#sayNothingFound(model);
    await this.#removeOldVersions(model).catch((err: unknown) =>
      logger.error({ err, model: model.name }, 'old versions could not be removed'),
    );
    this.#compactWhenLarge(model);
  }

  /**
   * Remove versions beyond those that are kept. A server that does not hold the journal's lock removes none, because
   * another server writes in the folder.
   */
  async #removeOldVersions(model: Model): Promise<void> {
    const { keepVersions } = this.#options.options;
    if (keepVersions === undefined || !model.newest?.journal || this.#isStopped) return;
    const versions = await removeOldVersions(model, keepVersions);
    if (versions.length > 0) this.#options.logger.info({ model: model.name, versions }, 'old versions were removed');
  }

  #compactWhenLarge(model: Model): void {
    const { options, load, logger } = this.#options;
    const { compactAfterBytes = 64 << 20, rebalanceAfterShare = Number.POSITIVE_INFINITY } = options;
    const bytes = model.newest?.journal?.sizeBytes ?? 0;
    if (this.#isStopped || model.isCompacting || model.newest?.journal?.refused !== undefined) return;
    const watchesDrift = rebalanceAfterShare < Number.POSITIVE_INFINITY && model.newest?.journal;
    const movedShare = watchesDrift ? (model.newest?.served?.servable.drift()?.movedShare ?? 0) : 0;
    const rebalance = movedShare > rebalanceAfterShare;
    if (bytes < compactAfterBytes && !rebalance) return;
    this.#compacting = compact(model, load, { rebalance })
      .then((version) =>
        logger.info({ model: model.name, version, movedShare, rebalance }, 'updates were written into a new version'),
      )
      .catch((error: unknown) => logger.error({ err: error, model: model.name }, 'compaction failed'));
  }

  /** Warn, at once and then once a minute, that a folder holds no version: the path may be wrong. */
  #sayNothingFound(model: Model): void {
    if (model.records.length > 0) {
      this.#saidNothing.delete(model);
      return;
    }
    const now = performance.now();
    if (now - (this.#saidNothing.get(model) ?? Number.NEGATIVE_INFINITY) < SAID_AGAIN_MS) return;
    this.#saidNothing.set(model, now);
    this.#options.logger.warn(
      { model: model.name, path: model.basePath },
      'there is no version: expected folders named 1, 2, 3, … with a bundle (*.shortlist) each, or one bundle',
    );
  }
}
