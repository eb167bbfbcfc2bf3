/**
 * The error classes. One class per kind of mistake, each with the code of `ERROR_CATALOGUE`; callers switch on `code`.
 * Faults of the library itself are `assert` failures (checks/assert.ts) instead.
 */
import type { ErrorCode } from './catalogue.ts';

/** Any error the library raises on purpose. */
export class ShortlistError extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.name = new.target.name;
  }
}

/** Dimensions or lengths do not fit together. */
export class ShapeError extends ShortlistError {
  constructor(message: string) {
    super('ERR_SHAPE', message);
  }
}

/** An option or argument is wrong. */
export class OptionError extends ShortlistError {
  constructor(message: string) {
    super('ERR_OPTION', message);
  }
}

/** The object is in a state that does not allow the call. */
export class StateError extends ShortlistError {
  constructor(message: string) {
    super('ERR_STATE', message);
  }
}

/** A number is NaN or infinite. */
export class NotFiniteError extends ShortlistError {
  constructor(message: string) {
    super('ERR_NOT_FINITE', message);
  }
}

/** An identifier is unknown or does not match. */
export class IdentifierError extends ShortlistError {
  constructor(message: string) {
    super('ERR_IDENTIFIER', message);
  }
}

/** A vocabulary has an empty, repeated or reserved word. */
export class VocabularyError extends ShortlistError {
  constructor(message: string) {
    super('ERR_VOCABULARY', message);
  }
}

/** A raw value that does not fit the spec of its feature. */
export interface FeatureMismatch {
  readonly feature: string;
  /** The number of the row, from 0; undefined where the whole column is meant. */
  readonly row: number | undefined;
  /** `expected …, got …`. */
  readonly message: string;
}

/** Raw features do not fit the spec; names the first ten mismatches with their rows. */
export class FeatureError extends ShortlistError {
  readonly mismatches: readonly FeatureMismatch[];

  constructor(message: string, mismatches: readonly FeatureMismatch[] = []) {
    super('ERR_FEATURE', message);
    this.mismatches = mismatches;
  }
}

/** The linear memory is too small. */
export class MemoryError extends ShortlistError {
  constructor(message: string) {
    super('ERR_MEMORY', message);
  }
}

/** A data file is damaged; names the file and the line. */
export class DataError extends ShortlistError {
  constructor(message: string) {
    super('ERR_DATA', message);
  }
}

/** A download failed, or its bytes are not the published file. */
export class DownloadError extends ShortlistError {
  constructor(message: string, options?: ErrorOptions) {
    super('ERR_DOWNLOAD', message, options);
  }
}

/** Saved bytes cannot be read; names the section and the byte offset in the file. */
export class FormatError extends ShortlistError {
  readonly section: string;
  readonly offset: number;

  constructor(section: string, offset: number, message: string) {
    super('ERR_FORMAT', `${section} at byte ${offset}: ${message}`);
    this.section = section;
    this.offset = offset;
  }
}

/** A file could not be read or written. */
export class FileError extends ShortlistError {
  constructor(message: string, options?: ErrorOptions) {
    super('ERR_IO', message, options);
  }
}

/** The work was interrupted by its abort signal. */
export class AbortedError extends ShortlistError {
  constructor(message: string, options?: ErrorOptions) {
    super('ERR_ABORTED', message, options);
  }
}

/** Training produced a number that is not finite. */
export class DivergedError extends ShortlistError {
  constructor(message: string) {
    super('ERR_DIVERGED', message);
  }
}
