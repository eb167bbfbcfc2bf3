/** What a model knows of one of its versions: TF Serving's states, and what is loaded. */
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

/** A journal whose updates are seen, and taken by another server or by none. */
export interface ForeignJournal {
  readonly refused: UpdatesRefused;
  /** Bytes of it that were applied. */
  readonly sizeBytes: number;
  /** Apply what was appended since; the journal, once this server may append to it. */
  advance(apply: (updates: readonly Update[]) => Promise<void>): Promise<Journal | undefined>;
}

/** A version that was loaded, before it is served. */
export interface LoadedVersion {
  servable: Servable;
  /** Where updates of this version go; a version that cannot be updated has none. */
  journal?: Journal | undefined;
  /** Where updates of this version are while it takes none itself. */
  foreign?: ForeignJournal | undefined;
}

/**
 * Loads a version from its folder; `isBeside`: while another serves, which keeps the cores it needs; `lock`: of its journal,
 * where the caller has it already.
 */
export type VersionLoader = (path: string, isBeside?: boolean, lock?: JournalLock) => Promise<LoadedVersion>;

/** One version of a model. */
export interface VersionRecord {
  version: number;
  path: string;
  fingerprint: string;
  state: VersionState;
  errorCode: StatusCode | 'OK';
  errorMessage: string;
  served: ServedVersion | undefined;
  journal: Journal | undefined;
  foreign: ForeignJournal | undefined;
}
