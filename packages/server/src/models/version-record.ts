/** What a model knows of one of its versions: TF Serving's states, and what is loaded. */
import type { Journal } from '../journal/journal.ts';
import type { Servable } from '../servable/contract.ts';
import type { StatusCode } from '../status/serving-error.ts';
import type { ServedVersion } from './served-version.ts';

/** State of a version → its number in TF Serving's ModelVersionStatus. */
export const VERSION_STATES = { UNKNOWN: 0, START: 10, LOADING: 20, AVAILABLE: 30, UNLOADING: 40, END: 50 } as const;

/** The name of a state. */
export type VersionState = keyof typeof VERSION_STATES;

/** A version that was loaded, before it is served. */
export interface LoadedVersion {
  servable: Servable;
  /** Where updates of this version go; a version that cannot be updated has none. */
  journal?: Journal | undefined;
}

/** Loads a version from its folder; `isBeside`: while another serves, which keeps the cores it needs. */
export type VersionLoader = (path: string, isBeside?: boolean) => Promise<LoadedVersion>;

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
}
