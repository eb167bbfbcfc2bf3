/**
 * Names that attributes should not have, because results have something else under them: plain JSON writes attributes
 * beside `id` and `score`, TF Serving's and the Open Inference protocols name them as outputs beside their own.
 *
 * A new attribute of such a name is refused. A bundle that has one is served, because filters and rules can use it, and
 * the protocols that have no such field of their own show it; the log says where it is not shown.
 */

/** The fields of a result in plain JSON. */
export const JSON_RESULT_FIELDS: readonly string[] = ['id', 'score'];
/** The outputs of signatures that search. */
const OUTPUTS: readonly string[] = ['identifiers', 'scores', 'unknown_items'];

/** The reason why an attribute of this name is not shown by every protocol; undefined for any other name. */
export function reservation(name: string): string | undefined {
  if (JSON_RESULT_FIELDS.includes(name)) return `plain JSON has another value under '${name}' in each result`;
  if (OUTPUTS.includes(name)) {
    return `TF Serving's and the Open Inference protocols have an output '${name}' of their own`;
  }
  return undefined;
}
