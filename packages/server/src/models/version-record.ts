/** The record of one version of a model: its state, with TF Serving's names, and the loaded version. */
import type { UpdatesRefused } from '../journal/followed-journal.ts';
import type { Journal } from '../journal/journal.ts';
import type { JournalLock } from '../journal/lock.ts';
import type { Servable, Update } from '../servable/contract.ts';
import type { StatusCode } from '../status/serving-error.ts';
import type { ServedVersion } from './served-version.ts';

/** State of a version → its number in TF Serving's ModelVersionStatus. */
export const VERSION_STATES = { UNKNOWN: 0, START: 10, LOADING: 20, AVAILABLE: 30, UNLOADING: 40, END: 50 } as const;

/** The name of a state. */
export type VersionState = keyof typeof VERSION_STATES;

/** A journal that this server reads but does not append to: another server does, or the folder is read-only. */
export interface ForeignJournal {
  readonly refused: UpdatesRefused;
  /** Bytes of the journal whose updates were applied. */
  readonly sizeBytes: number;
  /**
   * Apply the updates that were appended since the last call. Returns the journal once this server may append to it.
   */
  advance(apply: (updates: readonly Update[]) => Promise<void>): Promise<Journal | undefined>;
}

/** A version that was loaded, before it is served. */
export interface LoadedVersion {
  servable: Servable;
  /** The journal to which updates of this version are appended; undefined if it cannot be updated. */
  journal?: Journal | undefined;
  /** The journal that is followed while this server accepts no updates of this version. */
  foreign?: ForeignJournal | undefined;
}

/**
 * Loads a version from its folder. `isBeside`: another version serves meanwhile and needs the cores. `lock`: the lock
 * of the version's journal, if the caller already holds it.
 */
export type VersionLoader = (path: string, isBeside?: boolean, lock?: JournalLock) => Promise<LoadedVersion>;

/** One version of a model. */
export interface VersionRecord {
  version: number;
  path: string;
  /** The path at which a restarted server looks for the version's folder. */
  foundAt: string;
  fingerprint: string;
  state: VersionState;
  errorCode: StatusCode | 'OK';
  errorMessage: string;
  served: ServedVersion | undefined;
  journal: Journal | undefined;
  foreign: ForeignJournal | undefined;
}
