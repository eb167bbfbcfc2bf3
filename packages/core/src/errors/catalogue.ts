/**
 * The catalogue of errors: every code the library can raise, with its meaning. docs/errors.md lists the same codes
 * and a test holds the two equal.
 *
 * A message has one form: `name: expected …, got …`. Codes are stable; messages may improve.
 */

/** Code → what went wrong, in one sentence. */
export const ERROR_CATALOGUE = {
  ERR_SHAPE: 'The dimensions or lengths of the inputs do not fit together.',
  ERR_OPTION: 'An option or argument is of the wrong type, out of range, or contradicts another.',
  ERR_STATE: 'The object is not ready for this call, or was disposed.',
  ERR_NOT_FINITE: 'A vector, feature or weight is NaN or infinite.',
  ERR_IDENTIFIER: 'An identifier is unknown, of the wrong type, or does not match the candidates.',
  ERR_VOCABULARY: 'A vocabulary has an empty, repeated or reserved word.',
  ERR_FEATURE: 'Raw features do not fit the spec of their model.',
  ERR_MEMORY: 'The linear memory has no room for the requested data.',
  ERR_DATA: 'A data file is damaged or is not what its name says.',
  ERR_DOWNLOAD: 'A file could not be fetched, or the downloaded bytes are not the published file.',
  ERR_FORMAT: 'Saved bytes are damaged, foreign, or written by a newer version.',
  ERR_IO: 'A file could not be read or written.',
  ERR_ABORTED: 'The work was interrupted by its abort signal.',
  ERR_DIVERGED: 'Training produced a loss or a parameter that is not finite.',
} as const;

/** A stable error code. */
export type ErrorCode = keyof typeof ERROR_CATALOGUE;
