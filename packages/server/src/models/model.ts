/**
 * A model: its versions, which of them are served, and the labels that name them.
 *
 * `reconcile` compares what lies on disk with what the policy wants: a wanted version is loaded and warmed beside the
 * ones that serve, then becomes available, and only then the ones that are no longer wanted are retired. When a wanted
 * version cannot be loaded nothing is retired, and its status carries the reason.
 */
import type { RequestedUpdate } from '../servable/contract.ts';
import { loadErrorCode, toServingError } from '../status/serving-error.ts';
import { withoutPaths } from '../status/without-paths.ts';
import { type FollowedVersion, type Follower, Followers } from './followers.ts';
import { ModelUpdates } from './model-updates.ts';
import { ModelVersions, type ModelVersionsOptions, type VersionChoice } from './model-versions.ts';
import type { ServedVersion } from './served-version.ts';
import { listVersions, type VersionFolder } from './version-folders.ts';
import { aspiredVersions, DEFAULT_POLICY, type VersionPolicy } from './version-policy.ts';
import type { LoadedVersion, VersionLoader, VersionRecord } from './version-record.ts';

/** What a model is given. */
export interface ModelOptions extends ModelVersionsOptions {
  /** Folder whose folders 1, 2, 3, … are versions. */
  basePath: string;
  /** The versions that exist; default those folders. */
  list?: () => Promise<VersionFolder[]>;
  policy?: VersionPolicy;
  load: VersionLoader;
  /** Told when a version that served without updates takes them. */
  onUpdatable?: (model: string, record: VersionRecord) => void;
}

/** A model and its versions. */
export class Model {
  readonly name: string;
  readonly basePath: string;
  readonly followers: Followers;
  readonly #options: ModelOptions;
  readonly #versions: ModelVersions;
  readonly #updates: ModelUpdates;
  #policy: VersionPolicy;
  #work: Promise<unknown> = Promise.resolve();
  #unloaded = false;
  /** True while a compaction runs: another would write the same. */
  isCompacting = false;

  constructor(options: ModelOptions) {
    this.name = options.name;
    this.basePath = options.basePath;
    this.followers = new Followers(options.name);
    this.#options = options;
    this.#versions = new ModelVersions(options);
    const { name, onUpdatable } = options;
    this.#updates = new ModelUpdates({ name, versions: this.#versions, followers: this.followers, onUpdatable });
    this.#policy = options.policy ?? DEFAULT_POLICY;
  }

  get policy(): VersionPolicy {
    return this.#policy;
  }

  get labels(): ReadonlyMap<string, number> {
    return this.#versions.labels;
  }

  /** All versions seen, newest first. */
  get records(): VersionRecord[] {
    return this.#versions.all;
  }

  /** The newest version that serves. */
  get newest(): VersionRecord | undefined {
    return this.#versions.newest;
  }

  /**
   * The version a request means.
   *
   * @throws {ServingError} NOT_FOUND, or INVALID_ARGUMENT for a label nobody assigned: TF Serving's messages
   */
  choose(choice: VersionChoice): ServedVersion {
    return this.#versions.choose(choice);
  }

  /** @throws {ServingError} INVALID_ARGUMENT when the label is not assigned */
  versionOfLabel(label: string): number {
    return this.#versions.versionOfLabel(label);
  }

  /** Give a version a label, or with undefined take the label away. @throws {ServingError} when it does not serve */
  setLabel(label: string, version: number | undefined): void {
    this.#versions.setLabel(label, version);
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
        const shown = follower.show(this.name, this.#versions.shown);
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
      for (const record of this.records) if (record.state === 'END') record.fingerprint = '';
      return this.#reconcile();
    });
  }

  /**
   * Journal updates, then apply them to the newest version; resolves when they are durable and visible.
   *
   * @throws {ServingError} when one cannot be applied (none is, then) or the journal takes no more
   */
  update(updates: readonly RequestedUpdate[]): Promise<number> {
    return this.#updates.update(updates);
  }

  /** Hold updates back while `work` runs, after those under way and other such work have ended. Queries go on. */
  withoutUpdates<T>(work: () => Promise<T>): Promise<T> {
    return this.#updates.withoutUpdates(work);
  }

  /** Serve a version that was loaded elsewhere (compaction), then retire what the policy no longer wants. */
  async adopt(folder: VersionFolder, loaded: LoadedVersion): Promise<void> {
    const record = this.#versions.add(folder);
    this.#makeAvailable(record, loaded);
    if ('specific' in this.#policy) this.#policy = { specific: [...this.#policy.specific, folder.version] };
  }

  async #reconcile(): Promise<void> {
    for (const record of this.records) await this.#updates.advance(record);
    const folders = this.#unloaded ? [] : await (this.#options.list ?? (() => listVersions(this.basePath)))();
    const aspired = aspiredVersions(
      this.#policy,
      folders.map(({ version }) => version),
    );
    for (const version of aspired) {
      const folder = folders.find((folder) => folder.version === version)!;
      const known = this.#versions.get(version);
      // What may be otherwise soon, as another server's lock, is tried again; other reasons last as long as the files.
      const isHopeless = known && !['OK', 'UNAVAILABLE'].includes(known.errorCode);
      if (known?.served || (isHopeless && known.fingerprint === folder.fingerprint)) continue;
      await this.#load(folder);
    }
    const served = (version: number): boolean => this.#versions.get(version)?.state === 'AVAILABLE';
    if (!this.#unloaded && (aspired.length === 0 || !aspired.every(served))) return;
    await Promise.all(this.records.filter(({ version }) => !aspired.includes(version)).map((r) => this.#retire(r)));
  }

  async #load(folder: VersionFolder): Promise<void> {
    const record = this.#versions.add(folder);
    this.#versions.setState(record, 'LOADING');
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
      record.errorCode = loadErrorCode(error);
      // A status is read by operators: the library's own words about the file, not the stack of a fault.
      const said = code === 'INTERNAL' && error instanceof Error ? error.message : message;
      record.errorMessage = withoutPaths(said, record.path);
      this.#versions.setState(record, 'END');
    }
  }

  #makeAvailable(record: VersionRecord, loaded: LoadedVersion): void {
    this.#versions.makeAvailable(record, loaded);
    this.#show();
  }

  async #retire(record: VersionRecord): Promise<void> {
    if (!record.served) return;
    const { served, journal } = this.#versions.takeAway(record);
    this.#show();
    await served?.retire();
    await journal?.close();
    this.#versions.setState(record, 'END');
  }

  #show(): void {
    this.followers.show(this.#versions.shown);
  }
}

function followed(record: VersionRecord, isBeside: boolean): FollowedVersion {
  const { version, path, fingerprint, journal, foreign } = record;
  return { version, path, fingerprint, journalBytes: (journal ?? foreign)?.sizeBytes ?? 0, isBeside };
}
