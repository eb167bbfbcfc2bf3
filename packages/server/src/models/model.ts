/**
 * A model: its versions, which of them are served, and the labels that name them.
 *
 * `reconcile` compares the versions on disk with those that the policy wants. A wanted version is loaded and warmed up while others serve, then becomes available, and only then are versions retired that are no longer wanted. If a wanted version cannot be loaded, no version is retired, and the status of the wanted one contains the reason.
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

/** Options of a model. */
export interface ModelOptions extends ModelVersionsOptions {
  /** Folder whose folders 1, 2, 3, … are versions. */
  basePath: string;
  /** Lists the versions that exist; default: those folders. */
  list?: () => Promise<VersionFolder[]>;
  policy?: VersionPolicy;
  load: VersionLoader;
  /** Called when a version that served without accepting updates now accepts them. */
  onUpdatable?: (model: string, record: VersionRecord) => void;
  /** Called when a version that accepted updates refuses them, and with no reason when it accepts them again. */
  onRefused?: (model: string, record: VersionRecord, reason: string | undefined) => void;
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
  /** True while a compaction runs, during which no other may start. */
  isCompacting = false;

  constructor(options: ModelOptions) {
    this.name = options.name;
    this.basePath = options.basePath;
    this.followers = new Followers(options.name);
    this.#options = options;
    this.#versions = new ModelVersions(options);
    const { name, onUpdatable, onRefused } = options;
    const { followers } = this;
    this.#updates = new ModelUpdates({ name, versions: this.#versions, followers, onUpdatable, onRefused });
    this.#policy = options.policy ?? DEFAULT_POLICY;
  }

  get policy(): VersionPolicy {
    return this.#policy;
  }

  get labels(): ReadonlyMap<string, number> {
    return this.#versions.labels;
  }

  /** All versions that were found, newest first. */
  get records(): VersionRecord[] {
    return this.#versions.all;
  }

  /** The newest version that serves. */
  get newest(): VersionRecord | undefined {
    return this.#versions.newest;
  }

  /**
   * The version that a request names.
   *
   * @throws {ServingError} NOT_FOUND, or INVALID_ARGUMENT for an unassigned label, with TF Serving's messages
   */
  choose(choice: VersionChoice): ServedVersion {
    return this.#versions.choose(choice);
  }

  /** @throws {ServingError} INVALID_ARGUMENT when the label is not assigned */
  versionOfLabel(label: string): number {
    return this.#versions.versionOfLabel(label);
  }

  /** Give a version a label; undefined removes the label. @throws {ServingError} when it does not serve */
  setLabel(label: string, version: number | undefined): void {
    this.#versions.setLabel(label, version);
    this.#show();
  }

  /** Change the policy and apply it. To roll back to version n, set `{specific: [n]}`. */
  async setPolicy(policy: VersionPolicy): Promise<void> {
    this.#policy = policy;
    await this.reconcile();
  }

  /** Read the folders and load and retire versions as the policy wants. Calls run one at a time. */
  reconcile(): Promise<void> {
    return this.exclusively(() => this.#reconcile());
  }

  /**
   * Run work that changes versions, after all such work that was started earlier. Resolves when every process serves
   * the resulting versions.
   */
  exclusively<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#work.then(work).finally(() => this.followers.shown());
    this.#work = done.catch(() => undefined);
    return done;
  }

  /** Let a follower open the versions that are served now, and keep it up to date from then on. */
  admit(follower: Follower): Promise<void> {
    return this.exclusively(async () => {
      const openAll = async (): Promise<void> => {
        for (const record of this.records) {
          if (record.state === 'AVAILABLE') await follower.open(this.name, followed(record, true));
        }
      };
      // The first `open` runs while updates are accepted; they wait only for the second, which applies the remaining
      // ones.
      await openAll();
      await this.withoutUpdates(async () => {
        await openAll();
        const shown = follower.show(this.name, this.#versions.shown);
        // There is no await between the two calls, because labels can change at any time.
        this.followers.add(follower);
        await shown;
      });
    });
  }

  /** Stop serving; each version is disposed after its last request. */
  unload(): Promise<void> {
    return this.exclusively(async () => {
      this.#unloaded = true;
      await Promise.all(this.records.map((record) => this.#retire(record)));
    });
  }

  /** Serve again after `unload`, and retry versions that could not be loaded. */
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
   * @throws {ServingError} when one of the updates cannot be applied (then none is) or the journal cannot be written
   */
  update(updates: readonly RequestedUpdate[]): Promise<number> {
    return this.#updates.update(updates);
  }

  /**
   * Make updates wait while `work` runs. `work` starts after the updates under way and other such work have ended.
   * Queries are answered meanwhile.
   */
  withoutUpdates<T>(work: () => Promise<T>): Promise<T> {
    return this.#updates.withoutUpdates(work);
  }

  /**
   * Serve a version that a compaction has loaded in the place of the newest one, whose labels it takes over: otherwise
   * they would go with that version when it is retired.
   */
  async adopt(folder: VersionFolder, loaded: LoadedVersion): Promise<void> {
    const replaced = this.newest?.version;
    const record = this.#versions.add(folder);
    this.#versions.makeAvailable(record, loaded);
    for (const [label, version] of this.labels) {
      if (version === replaced) this.#versions.setLabel(label, record.version);
    }
    this.#show();
    if ('specific' in this.#policy) this.#policy = { specific: [...this.#policy.specific, folder.version] };
  }

  async #reconcile(): Promise<void> {
    const failures: unknown[] = [];
    // A journal that cannot be followed any more must not keep newer versions from being loaded.
    for (const record of this.records) await this.#updates.advance(record).catch((error) => failures.push(error));
    await this.#loadAndRetire();
    if (failures.length > 0) throw failures[0];
  }

  async #loadAndRetire(): Promise<void> {
    const folders = this.#unloaded ? [] : await (this.#options.list ?? (() => listVersions(this.basePath)))();
    const aspired = aspiredVersions(
      this.#policy,
      folders.map(({ version }) => version),
    );
    for (const version of aspired) {
      const folder = folders.find((folder) => folder.version === version)!;
      const known = this.#versions.get(version);
      // A reason that may pass, such as another server's lock, is retried. Any other reason lasts until the files
      // change.
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
    // If no version serves yet, all processes load at once; each of them detects and reports damage.
    const opening = isBeside ? undefined : this.followers.open(followed(record, false)).catch(() => undefined);
    let loaded: LoadedVersion | undefined;
    try {
      loaded = await this.#options.load(folder.path, isBeside);
      // While another version serves there is time to prepare this one, so that its first queries with exclusions and
      // its first updates need not wait.
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
      // Operators read the status, so it contains the library's message about the file instead of `Internal error`.
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
