/** Assertions: conditions that hold unless this library has a fault. A caller's mistake is reported by the errors of errors/ instead. */

/** Throw when `condition` is false; `what` names the condition. */
export function assert(condition: boolean, what: string): asserts condition {
  if (!condition) throw new Error(`shortlist is at fault, please report: ${what}`);
}
