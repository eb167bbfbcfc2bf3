/** The versions of a model, which of them serves a request, and the labels that name them. */
import { invalidArgument, ServingError } from '../status/serving-error.ts';
import type { ShownVersions } from './followers.ts';
import type { ServedVersion } from './served-version.ts';
import type { VersionFolder } from './version-folders.ts';
import type { LoadedVersion, VersionRecord } from './version-record.ts';

/** Which version a request means: neither for the newest. */
export interface VersionChoice {
  version?: number | undefined;
  label?: string | undefined;
}

/** What the versions of a model are given. */
export interface ModelVersionsOptions {
  /** Name of the model. */
  name: string;
  /** Make the version that is served of what was loaded. */
  serve: (model: string, version: number, loaded: LoadedVersion) => ServedVersion;
  /** Told of each change of a version's state. */
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

  /** All versions seen, newest first. */
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
   * The version a request means.
   *
   * @throws {ServingError} NOT_FOUND, or INVALID_ARGUMENT for a label nobody assigned: TF Serving's messages
   */
  choose({ version, label }: VersionChoice): ServedVersion {
    const wanted = label === undefined ? version : this.versionOfLabel(label);
    const record = wanted === undefined ? this.newest : this.#records.get(wanted);
    if (record?.state === 'AVAILABLE') return record.served!;
    const which = wanted === undefined ? `Latest(${this.#options.name})` : `Specific(${this.#options.name}, ${wanted})`;
    throw new ServingError('NOT_FOUND', `Servable not found for request: ${which}`);
  }

  /** @throws {ServingError} INVALID_ARGUMENT when the label is not assigned */
  versionOfLabel(label: string): number {
    const version = this.labels.get(label);
    if (version === undefined) throw invalidArgument(`Unrecognized servable version label: ${label}`);
    return version;
  }

  /** Give a version a label, or with undefined take the label away. @throws {ServingError} when it does not serve */
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

  /** A version that is about to be loaded; it takes the place of an earlier record of that version. */
  add({ version, path, fingerprint }: VersionFolder): VersionRecord {
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

  /** Serve what was loaded. */
  makeAvailable(record: VersionRecord, loaded: LoadedVersion): void {
    record.journal = loaded.journal;
    record.foreign = loaded.foreign;
    record.served = this.#options.serve(this.#options.name, record.version, loaded);
    this.setState(record, 'AVAILABLE');
  }

  /** Take a version and its labels out of what requests can name; the version is returned, to end with its last request. */
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
