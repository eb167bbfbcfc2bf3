/** A model in a replica: the versions that the server made it open, and those of them that it serves. */
import { join } from 'node:path';
import { DataError } from 'shortlist';
import { HEAD_BYTES } from '../journal/record.ts';
import { readRequestsOf } from '../journal/record-reader.ts';
import { applyUpdates, replayUpdate } from '../models/apply-updates.ts';
import type { FollowedVersion, ShownVersions } from '../models/followers.ts';
import { loadServable, type RowOptions } from '../models/load-version.ts';
import { Model } from '../models/model.ts';
import { fingerprintOf, JOURNAL_NAME } from '../models/version-folders.ts';
import { type Observers, observedVersion, warmUp } from '../observe/observed-version.ts';
import type { Servable, Update } from '../servable/contract.ts';

/** A version that was opened. */
interface Opened {
  servable: Servable;
  /** Position in its journal up to which `open` has applied updates; updates of `apply` follow after it. */
  journalAt: number;
  /** Resolves when the updates under way are applied; the next ones wait for it. */
  applied: Promise<void>;
  wasShown: boolean;
}

/** Follows one model. */
export class FollowedModel {
  readonly model: Model;
  readonly #observers: Observers;
  readonly #rows: RowOptions;
  readonly #opened = new Map<number, Opened>();
  #shown: readonly number[] = [];

  constructor(name: string, observers: Observers, rows: RowOptions) {
    this.#observers = observers;
    this.#rows = rows;
    this.model = new Model({
      name,
      basePath: '',
      policy: { all: true },
      // A replica reads no folders: it serves the versions that it has opened.
      list: async () => this.#shown.map((version) => ({ version, path: String(version), fingerprint: '' })),
      load: async (path) => ({ servable: this.#opened.get(Number(path))!.servable }),
      serve: (model, version, { servable }) => observedVersion(model, version, servable, observers),
    });
  }

  /**
   * Load a version that does not serve yet, or apply its journal's updates up to a position.
   *
   * @throws {FormatError} when its bundle is damaged
   * @throws {DataError} when its journal is shorter than that position, or its files are no longer those that the
   * server has loaded
   */
  async open({ version, path, fingerprint, journalBytes, isBeside }: FollowedVersion): Promise<void> {
    let opened = this.#opened.get(version);
    if (!opened) {
      if (fingerprint !== undefined && fingerprint !== (await fingerprintOf(path))) {
        throw new DataError(`${path}: expected the files that the server has loaded, got changed files`);
      }
      const { servable } = await loadServable(path, isBeside, this.#rows);
      await warmUp(servable, path, this.#observers.metrics);
      opened = { servable, journalAt: HEAD_BYTES, applied: Promise.resolve(), wasShown: false };
      this.#opened.set(version, opened);
    }
    if (isBeside || journalBytes > opened.journalAt) await opened.servable.prepare();
    if (journalBytes <= opened.journalAt) return;
    const requests = await readRequestsOf(join(path, JOURNAL_NAME), opened.journalAt, journalBytes);
    const updates = requests.flat().map(({ update }) => update);
    const { servable } = opened;
    // The server has left out the same misfitting attributes and has logged them.
    await applyUpdates(servable, updates, (update) => replayUpdate(servable, update));
    opened.journalAt = journalBytes;
  }

  /** Forget a version that will not serve. */
  drop(version: number): void {
    if (this.#shown.includes(version)) return;
    void this.#opened.get(version)?.servable.dispose();
    this.#opened.delete(version);
  }

  /** Serve these versions and no others. @throws {ServingError} NOT_FOUND when one of them was not opened */
  async show({ versions, labels }: ShownVersions): Promise<void> {
    this.#shown = versions;
    await (versions.length === 0 ? this.model.unload() : this.model.load());
    // A later call has named other versions, so this one has no effect.
    if (this.#shown !== versions) return;
    for (const version of versions) this.model.choose({ version });
    for (const [version, opened] of this.#opened) {
      if (versions.includes(version)) opened.wasShown = true;
      else if (opened.wasShown) this.#opened.delete(version);
    }
    for (const label of [...this.model.labels.keys()]) if (!labels.has(label)) this.model.setLabel(label, undefined);
    for (const [label, version] of labels) this.model.setLabel(label, version);
  }

  /** Apply updates after those of earlier calls; updates of a version that no longer serves are ignored. */
  async apply(version: number, updates: readonly Update[]): Promise<void> {
    const opened = this.#opened.get(version);
    if (!opened) return;
    const { servable } = opened;
    const done = opened.applied.then(async () => {
      await servable.prepare();
      if (servable.isNearlyFull()) await servable.makeRoom();
      await applyUpdates(servable, updates);
    });
    opened.applied = done.catch(() => undefined);
    await done;
  }
}
