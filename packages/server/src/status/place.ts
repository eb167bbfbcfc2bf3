/** Places in requests, as error messages name them: the path to a value in the JSON that was sent. */

/** Names that need no quotes in a path. */
const PLAIN_NAME = /^[\p{L}_$][\p{L}\p{N}_$-]*$/u;

/** The step to a member of an object: `.year`, or for a name of other characters `["release year"]`. */
export function memberStep(name: string): string {
  return PLAIN_NAME.test(name) ? `.${name}` : `[${JSON.stringify(name)}]`;
}
