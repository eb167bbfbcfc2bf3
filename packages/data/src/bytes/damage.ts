/** The reason why a library could not read a file, for the end of a message. */

/**
 * `: reason`; '' for the errors that JavaScript itself throws on damaged bytes (`Cannot read properties of undefined`), which
 * say nothing about the file.
 */
export function reasonOf(error: unknown): string {
  return error instanceof TypeError || error instanceof RangeError ? '' : `: ${(error as Error).message}`;
}
