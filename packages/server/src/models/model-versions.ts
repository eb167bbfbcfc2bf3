/** The versions of a model, which of them serves a request, and the labels that name them. */
import { invalidArgument, ServingError, servableNotFound } from '../status/serving-error.ts';
import type { ShownVersions } from './followers.ts';
import type { ServedVersion } from './served-version.ts';
import type { VersionFolder } from './version-folders.ts';
import type { LoadedVersion, VersionRecord } from './version-record.ts';

/** The version that a request names, by number or by label; if it names neither, the newest. */
export interface VersionChoice {
  version?: number | undefined;
  label?: string | undefined;
}

/** Options of the versions of a model. */
export interface ModelVersionsOptions {
  /** Name of the model. */
  name: string;
  /** Makes the version that is served from one that was loaded. */
  serve: (model: string, version: number, loaded: LoadedVersion) => ServedVersion;
  /** Called for each change of a version's state. */
  onState?: (model: string, record: VersionRecord) => void;
}

/** Records of the versions of one model. */
export class ModelVersions {
  readonly labels: Map<string, number> = new Map();
  readonly #options: ModelVersionsOptions;
  readonly #records = new Map<number, VersionRecord>();

  constructor(options: ModelVersionsOptions) {
    this.#options = options;
  }

  /** All versions that were found, newest first. */
  get all(): VersionRecord[] {
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

  get(version: number): VersionRecord | undefined {
    return this.#records.get(version);
  }

  /**
   * The version that a request names.
   *
   * @throws {ServingError} NOT_FOUND, or INVALID_ARGUMENT for an unassigned label, with TF Serving's messages
   */
  choose({ version, label }: VersionChoice): ServedVersion {
    const wanted = label === undefined ? version : this.versionOfLabel(label);
    const record = wanted === undefined ? this.newest : this.#records.get(wanted);
    if (record?.state === 'AVAILABLE') return record.served!;
    const which = wanted === undefined ? `Latest(${this.#options.name})` : `Specific(${this.#options.name}, ${wanted})`;
    throw servableNotFound(which);
  }

  /** @throws {ServingError} INVALID_ARGUMENT when the label is not assigned */
  versionOfLabel(label: string): number {
    const version = this.labels.get(label);
    if (version === undefined) throw invalidArgument(`Unrecognized servable version label: ${label}`);
    return version;
  }

  /** Give a version a label; undefined removes the label. @throws {ServingError} when it does not serve */
  setLabel(label: string, version: number | undefined): void {
    if (version !== undefined && this.#records.get(version)?.state !== 'AVAILABLE') {
      throw new ServingError(
        'FAILED_PRECONDITION',
        `Request to assign label to version ${version} of model ${this.#options.name}, ` +
          'which is not currently available for inference',
      );
    }
    if (version === undefined) this.labels.delete(label);
    else this.labels.set(label, version);
  }

  /** Add the record of a version that is about to be loaded; it replaces an earlier record of that version. */
  add({ version, path, foundAt = path, fingerprint }: VersionFolder): VersionRecord {
    const record: VersionRecord = {
      version,
      path,
      foundAt,
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

  /** Serve a version that was loaded. */
  makeAvailable(record: VersionRecord, loaded: LoadedVersion): void {
    record.journal = loaded.journal;
    record.journal?.servedAs(record.version, record.foundAt);
    record.foreign = loaded.foreign;
    record.served = this.#options.serve(this.#options.name, record.version, loaded);
    this.setState(record, 'AVAILABLE');
  }

  /**
   * Remove a version and its labels, so that requests can no longer name it. Returns the version, which the caller
   * disposes after its last request.
   */
  takeAway(record: VersionRecord): Pick<VersionRecord, 'served' | 'journal'> {
    const { served, journal } = record;
    this.setState(record, 'UNLOADING');
    record.served = undefined;
    record.journal = undefined;
    record.foreign = undefined;
    for (const [label, version] of this.labels) if (version === record.version) this.labels.delete(label);
    return { served, journal };
  }

  /** The versions and labels that requests can name. */
  get shown(): ShownVersions {
    const available = this.all.filter(({ state }) => state === 'AVAILABLE');
    return { versions: available.map(({ version }) => version), labels: new Map(this.labels) };
  }

  setState(record: VersionRecord, state: VersionRecord['state']): void {
    record.state = state;
    this.#options.onState?.(this.#options.name, record);
  }
}
