/**
 * A model: its versions, which of them are served, and the labels that name them.
 *
 * `reconcile` compares what lies on disk with what the policy wants: a wanted version is loaded and warmed beside the
 * ones that serve, then becomes available, and only then the ones that are no longer wanted are retired. When a wanted
 * version cannot be loaded nothing is retired, and its status carries the reason.
 */
import type { Update } from '../servable/contract.ts';
import { invalidArgument, ServingError, toServingError } from '../status/serving-error.ts';
import { withoutPaths } from '../status/without-paths.ts';
import { applyUpdates, replayUpdate } from './apply-updates.ts';
import { type FollowedVersion, type Follower, Followers, type ShownVersions } from './followers.ts';
import type { ServedVersion } from './served-version.ts';
import { listVersions, type VersionFolder } from './version-folders.ts';
import { aspiredVersions, DEFAULT_POLICY, type VersionPolicy } from './version-policy.ts';
import type { LoadedVersion, VersionLoader, VersionRecord } from './version-record.ts';

/** What a model is given. */
export interface ModelOptions {
  name: string;
  /** Folder whose folders 1, 2, 3, … are versions. */
  basePath: string;
  /** The versions that exist; default those folders. */
  list?: () => Promise<VersionFolder[]>;
  policy?: VersionPolicy;
  load: VersionLoader;
  /** Make the version that is served of what was loaded. */
  serve: (model: string, version: number, loaded: LoadedVersion) => ServedVersion;
  /** Told of each change of a version's state. */
  onState?: (model: string, record: VersionRecord) => void;
  /** Told when a version that served without updates takes them. */
  onUpdatable?: (model: string, record: VersionRecord) => void;
}

/** Which version a request means: neither for the newest. */
export interface VersionChoice {
  version?: number | undefined;
  label?: string | undefined;
}

/** A model and its versions. */
export class Model {
  readonly name: string;
  readonly basePath: string;
  readonly followers: Followers;
  readonly #options: ModelOptions;
  readonly #records = new Map<number, VersionRecord>();
  readonly #labels = new Map<string, number>();
  #policy: VersionPolicy;
  #work: Promise<unknown> = Promise.resolve();
  #gate: Promise<void> = Promise.resolve();
  #applied: Promise<void> = Promise.resolve();
  #updatesUnderWay = new Set<Promise<void>>();
  #isMakingRoom = false;
  #unloaded = false;
  /** True while a compaction runs: another would write the same. */
  isCompacting = false;

  constructor(options: ModelOptions) {
    this.name = options.name;
    this.basePath = options.basePath;
    this.followers = new Followers(options.name);
    this.#options = options;
    this.#policy = options.policy ?? DEFAULT_POLICY;
  }

  get policy(): VersionPolicy {
    return this.#policy;
  }

  get labels(): ReadonlyMap<string, number> {
    return this.#labels;
  }

  /** All versions seen, newest first. */
  get records(): VersionRecord[] {
    return [...this.#records.values()].sort((a, b) => b.version - a.version);
  }

  /** The newest version that serves. */
  get newest(): VersionRecord | undefined {
    let newest: VersionRecord | undefined;
    for (const record of this.#records.values()) {
      if (record.state === 'AVAILABLE' && record.version > (newest?.version ?? -1)) newest = record;
    }
    return newest;
  }

  /**
   * The version a request means.
   *
   * @throws {ServingError} NOT_FOUND, or INVALID_ARGUMENT for a label nobody assigned: TF Serving's messages
   */
  choose({ version, label }: VersionChoice): ServedVersion {
    const wanted = label === undefined ? version : this.versionOfLabel(label);
    const record = wanted === undefined ? this.newest : this.#records.get(wanted);
    if (record?.state === 'AVAILABLE') return record.served!;
    const which = wanted === undefined ? `Latest(${this.name})` : `Specific(${this.name}, ${wanted})`;
    throw new ServingError('NOT_FOUND', `Servable not found for request: ${which}`);
  }

  /** @throws {ServingError} INVALID_ARGUMENT when the label is not assigned */
  versionOfLabel(label: string): number {
    const version = this.#labels.get(label);
    if (version === undefined) throw invalidArgument(`Unrecognized servable version label: ${label}`);
    return version;
  }

  /** Give a version a label, or with undefined take the label away. @throws {ServingError} when it does not serve */
  setLabel(label: string, version: number | undefined): void {
    if (version !== undefined && this.#records.get(version)?.state !== 'AVAILABLE') {
      throw new ServingError(
        'FAILED_PRECONDITION',
        `Request to assign label to version ${version} of model ${this.name}, ` +
          'which is not currently available for inference',
      );
    }
    if (version === undefined) this.#labels.delete(label);
    else this.#labels.set(label, version);
    this.#show();
  }

  /** Change the policy and act on it: `{specific: [n]}` is how to roll back to n. */
  async setPolicy(policy: VersionPolicy): Promise<void> {
    this.#policy = policy;
    await this.reconcile();
  }

  /** Look at the disk and bring what serves in line with the policy. Runs one at a time. */
  reconcile(): Promise<void> {
    return this.exclusively(() => this.#reconcile());
  }

  /** Run work that changes versions after all such work before it; resolves when every process shows what came of it. */
  exclusively<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#work.then(work).finally(() => this.followers.shown());
    this.#work = done.catch(() => undefined);
    return done;
  }

  /** Bring a follower to what is served now, and keep it there. */
  admit(follower: Follower): Promise<void> {
    return this.exclusively(async () => {
      const openAll = async (): Promise<void> => {
        for (const record of this.records) {
          if (record.state === 'AVAILABLE') await follower.open(this.name, followed(record, true));
        }
      };
      // Updates go on while it loads, and wait for the rest only.
      await openAll();
      await this.withoutUpdates(async () => {
        await openAll();
        const shown = follower.show(this.name, this.#shown);
        // At once: labels may be given at any time.
        this.followers.add(follower);
        await shown;
      });
    });
  }

  /** Stop serving; versions go when their last request is done. */
  unload(): Promise<void> {
    return this.exclusively(async () => {
      this.#unloaded = true;
      await Promise.all(this.records.map((record) => this.#retire(record)));
    });
  }

  /** Serve again after `unload`, and try versions again that could not be loaded. */
  load(): Promise<void> {
    return this.exclusively(() => {
      this.#unloaded = false;
      for (const record of this.#records.values()) if (record.state === 'END') record.fingerprint = '';
      return this.#reconcile();
    });
  }

  /**
   * Journal updates, then apply them to the newest version; resolves when they are durable and visible.
   *
   * @throws {ServingError} when one cannot be applied (none is, then) or the journal takes no more
   */
  async update(updates: readonly Update[]): Promise<number> {
    await this.newest?.served?.servable.prepare();
    await this.#opened();
    const record = this.newest;
    if (!record) throw new ServingError('NOT_FOUND', `Servable not found for request: Latest(${this.name})`);
    const { journal } = record;
    if (!journal) throw this.#refusal(record);
    const { servable } = record.served!;
    const release = servable.check(updates);
    let followed: Promise<unknown> | undefined;
    const apply = (): Promise<void> => {
      followed = this.followers.apply(record.version, updates);
      return applyUpdates(servable, updates);
    };
    const before = this.#applied;
    // In the order of the journal.
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

  #refusal({ foreign }: VersionRecord): ServingError {
    if (!foreign) return new ServingError('FAILED_PRECONDITION', `Model ${this.name} cannot be updated`);
    const { isLocked, reason } = foreign.refused;
    // Another server gives its lock back when it ends, as in a rolling restart.
    return isLocked
      ? new ServingError('UNAVAILABLE', `Model ${this.name} takes no updates here: ${reason}`, { retryAfterS: 1 })
      : new ServingError('FAILED_PRECONDITION', `Model ${this.name} takes no updates: ${reason}`);
  }

  /** See what another server has done with a version's journal, and take it when nobody has it. */
  async #advance(record: VersionRecord): Promise<void> {
    const { foreign, served } = record;
    if (!foreign || !served) return;
    const apply = (updates: readonly Update[]): Promise<void> =>
      served.hold(async ({ servable }) => {
        await servable.prepare();
        if (servable.isNearlyFull()) await servable.makeRoom();
        const followed = this.followers.apply(record.version, updates);
        await applyUpdates(servable, updates, (update) => void replayUpdate(servable, update));
        await followed;
      });
    const journal = await foreign.advance(apply);
    if (!journal) return;
    record.journal = journal;
    record.foreign = undefined;
    this.#options.onUpdatable?.(this.name, record);
  }

  /** Make room in the candidates of a version before updates run out of it; those that come meanwhile wait. */
  async #makeRoom(record: VersionRecord): Promise<void> {
    const { served } = record;
    if (this.#isMakingRoom || !served) return;
    this.#isMakingRoom = true;
    try {
      await served.hold(({ servable }) => servable.makeRoom());
    } catch {
      // No memory: the updates themselves find out, and say so.
    } finally {
      this.#isMakingRoom = false;
    }
  }

  /** Resolves while no work holds updates back. */
  async #opened(): Promise<void> {
    for (let gate: Promise<void> | undefined; gate !== this.#gate; await gate) gate = this.#gate;
  }

  /** Hold updates back while `work` runs, after those under way and other such work have ended. Queries go on. */
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

  /** Serve a version that was loaded elsewhere (compaction), then retire what the policy no longer wants. */
  async adopt(folder: VersionFolder, loaded: LoadedVersion): Promise<void> {
    const record = this.#newRecord(folder);
    this.#makeAvailable(record, loaded);
    if ('specific' in this.#policy) this.#policy = { specific: [...this.#policy.specific, folder.version] };
  }

  async #reconcile(): Promise<void> {
    for (const record of this.#records.values()) await this.#advance(record);
    const folders = this.#unloaded ? [] : await (this.#options.list ?? (() => listVersions(this.basePath)))();
    const aspired = aspiredVersions(
      this.#policy,
      folders.map(({ version }) => version),
    );
    for (const version of aspired) {
      const folder = folders.find((folder) => folder.version === version)!;
      const known = this.#records.get(version);
      // What may be otherwise soon, as another server's lock, is tried again; other reasons last as long as the files.
      const isHopeless = known && !['OK', 'UNAVAILABLE'].includes(known.errorCode);
      if (known?.served || (isHopeless && known.fingerprint === folder.fingerprint)) continue;
      await this.#load(folder);
    }
    const served = (version: number): boolean => this.#records.get(version)?.state === 'AVAILABLE';
    if (!this.#unloaded && (aspired.length === 0 || !aspired.every(served))) return;
    await Promise.all(this.records.filter(({ version }) => !aspired.includes(version)).map((r) => this.#retire(r)));
  }

  async #load(folder: VersionFolder): Promise<void> {
    const record = this.#newRecord(folder);
    this.#setState(record, 'LOADING');
    const isBeside = this.newest !== undefined;
    // Where nothing serves yet all processes load at once; damage is found, and said, by each.
    const opening = isBeside ? undefined : this.followers.open(followed(record, false)).catch(() => undefined);
    let loaded: LoadedVersion | undefined;
    try {
      loaded = await this.#options.load(folder.path, isBeside);
      // Beside a version that serves there is time: queries with exclusions, and updates, then wait for nothing.
      if (isBeside) await loaded.servable.prepare();
      await opening;
      const journalBytes = (loaded.journal ?? loaded.foreign)?.sizeBytes ?? 0;
      await this.followers.open({ ...followed(record, isBeside), journalBytes });
      this.#makeAvailable(record, loaded);
      void loaded.servable.prepare().catch(() => undefined);
    } catch (error) {
      await opening;
      this.followers.drop(record.version);
      await loaded?.journal?.close();
      await loaded?.servable.dispose();
      const { code, message } = toServingError(error);
      record.errorCode = code;
      // A status is read by operators: the library's own words about the file, not the stack of a fault.
      const said = code === 'INTERNAL' && error instanceof Error ? error.message : message;
      record.errorMessage = withoutPaths(said, record.path);
      this.#setState(record, 'END');
    }
  }

  #newRecord({ version, path, fingerprint }: VersionFolder): VersionRecord {
    const record: VersionRecord = {
      version,
      path,
      fingerprint,
      state: 'START',
      errorCode: 'OK',
      errorMessage: '',
      served: undefined,
      journal: undefined,
      foreign: undefined,
    };
    this.#records.set(version, record);
    return record;
  }

  #makeAvailable(record: VersionRecord, loaded: LoadedVersion): void {
    record.journal = loaded.journal;
    record.foreign = loaded.foreign;
    record.served = this.#options.serve(this.name, record.version, loaded);
    this.#setState(record, 'AVAILABLE');
    this.#show();
  }

  async #retire(record: VersionRecord): Promise<void> {
    const { served, journal } = record;
    if (!served) return;
    this.#setState(record, 'UNLOADING');
    record.served = undefined;
    record.journal = undefined;
    record.foreign = undefined;
    for (const [label, version] of this.#labels) if (version === record.version) this.#labels.delete(label);
    this.#show();
    await served.retire();
    await journal?.close();
    this.#setState(record, 'END');
  }

  get #shown(): ShownVersions {
    const available = this.records.filter(({ state }) => state === 'AVAILABLE');
    return { versions: available.map(({ version }) => version), labels: new Map(this.#labels) };
  }

  #show(): void {
    this.followers.show(this.#shown);
  }

  #setState(record: VersionRecord, state: VersionRecord['state']): void {
    record.state = state;
    this.#options.onState?.(this.name, record);
  }
}

function followed(record: VersionRecord, isBeside: boolean): FollowedVersion {
  const { version, path, fingerprint, journal, foreign } = record;
  return { version, path, fingerprint, journalBytes: (journal ?? foreign)?.sizeBytes ?? 0, isBeside };
}
