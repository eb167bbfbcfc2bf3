/**
 * The updates of a model. An update is written to the journal of the newest version, then applied to that version and
 * by every follower, in the order of the journal. Work that must not see a half-applied update makes updates wait.
 */
import type { Journal } from '../journal/journal.ts';
import { withEmbeddings } from '../servable/candidate-features.ts';
import type { RequestedUpdate, Update } from '../servable/contract.ts';
import { servableNotFound } from '../status/serving-error.ts';
import { applyUpdates, replayUpdate } from './apply-updates.ts';
import type { Followers } from './followers.ts';
import type { ModelVersions } from './model-versions.ts';
import { updatesRefused } from './updates-refused.ts';
import type { VersionRecord } from './version-record.ts';

/** Options of the updates of a model. */
export interface ModelUpdatesOptions {
  /** Name of the model. */
  name: string;
  versions: ModelVersions;
  followers: Followers;
  /** Called when a version that served without accepting updates now accepts them. */
  onUpdatable?: ((model: string, record: VersionRecord) => void) | undefined;
  /** Called when a version that accepted updates refuses them, and with no reason when it accepts them again. */
  onRefused?: ((model: string, record: VersionRecord, reason: string | undefined) => void) | undefined;
}

/** Accepts the updates of one model. */
export class ModelUpdates {
  readonly #options: ModelUpdatesOptions;
  #gate: Promise<void> = Promise.resolve();
  #applied: Promise<void> = Promise.resolve();
  #updatesUnderWay = new Set<Promise<void>>();
  #isMakingRoom = false;
  /** The reasons that `onRefused` was called with. */
  readonly #said = new WeakMap<Journal, string>();

  constructor(options: ModelUpdatesOptions) {
    this.#options = options;
  }

  /**
   * Journal updates, then apply them to the newest version; resolves when they are durable and visible.
   *
   * @throws {ServingError} when one of the updates cannot be applied (then none is) or the journal cannot be written
   */
  async update(requested: readonly RequestedUpdate[]): Promise<number> {
    const { name, versions, followers } = this.#options;
    await versions.newest?.served?.servable.prepare();
    await this.#opened();
    const record = versions.newest;
    if (!record) throw servableNotFound(`Latest(${name})`);
    const { journal } = record;
    if (!journal) throw updatesRefused(name, record);
    const { servable } = record.served!;
    // The journal stores vectors instead of features, so that replaying it needs no tower.
    const updates = withEmbeddings(servable, requested);
    const release = servable.check(updates);
    let followed: Promise<unknown> | undefined;
    const apply = (): Promise<void> => {
      followed = followers.apply(record.version, updates);
      return applyUpdates(servable, updates);
    };
    const before = this.#applied;
    // Updates are applied in the order of the journal.
    const appended = journal.append(updates).then(() => before.then(apply));
    const done = appended.finally(release);
    const settled = done.catch(() => undefined);
    this.#applied = settled;
    this.#updatesUnderWay.add(settled);
    void settled.then(() => this.#updatesUnderWay.delete(settled));
    await record.served!.hold(() => done.then(() => followed));
    if (servable.isNearlyFull()) void this.#makeRoom(record);
    return record.version;
  }

  /**
   * Apply what another server has appended to a version's journal, and take over the journal if no server holds its
   * lock. If this server has the journal, look whether it may still append.
   */
  async advance(record: VersionRecord): Promise<void> {
    const { foreign, served } = record;
    if (record.journal && served) await this.#look(record, record.journal);
    if (!foreign || !served) return;
    const apply = (updates: readonly Update[]): Promise<void> =>
      served.hold(async ({ servable }) => {
        await servable.prepare();
        if (servable.isNearlyFull()) await servable.makeRoom();
        const followed = this.#options.followers.apply(record.version, updates);
        await applyUpdates(servable, updates, (update) => void replayUpdate(servable, update));
        await followed;
      });
    const journal = await foreign.advance(apply);
    if (!journal) return;
    journal.servedAs(record.version, record.foundAt);
    record.journal = journal;
    record.foreign = undefined;
    this.#options.onUpdatable?.(this.#options.name, record);
  }

  async #look(record: VersionRecord, journal: Journal): Promise<void> {
    await journal.check('The update').catch(() => undefined);
    const { refused } = journal;
    if (refused === this.#said.get(journal)) return;
    if (refused === undefined) this.#said.delete(journal);
    else this.#said.set(journal, refused);
    this.#options.onRefused?.(this.#options.name, record, refused);
  }

  /** Make room for new candidates of a version before there is none left; updates that arrive meanwhile wait. */
  async #makeRoom(record: VersionRecord): Promise<void> {
    const { served } = record;
    if (this.#isMakingRoom || !served) return;
    this.#isMakingRoom = true;
    try {
      await served.hold(({ servable }) => servable.makeRoom());
    } catch {
      // There was no memory for more room. The error is ignored here, because the next update that needs room reports
      // it.
    } finally {
      this.#isMakingRoom = false;
    }
  }

  /** Resolves once no work makes updates wait. */
  async #opened(): Promise<void> {
    for (let gate: Promise<void> | undefined; gate !== this.#gate; await gate) gate = this.#gate;
  }

  /**
   * Make updates wait while `work` runs. `work` starts after the updates under way and other such work have ended.
   * Queries are answered meanwhile.
   */
  async withoutUpdates<T>(work: () => Promise<T>): Promise<T> {
    let open = (): void => undefined;
    const before = this.#gate;
    this.#gate = new Promise((resolve) => {
      open = resolve;
    });
    try {
      await before;
      await Promise.all(this.#updatesUnderWay);
      return await work();
    } finally {
      open();
    }
  }
}
