/** Version policies, with TF Serving's names: serve the newest n versions of a model, all, or specific ones. */
import { invalidArgument } from '../status/serving-error.ts';

/** A version policy. */
export type VersionPolicy = { latest: number } | { all: true } | { specific: readonly number[] };

/** Most characters of a wrong policy that a message shows. */
const SHOWN_MAX = 60;

/** The policy of a model that sets none. */
export const DEFAULT_POLICY: VersionPolicy = { latest: 1 };

/** The existing versions that a policy wants, newest first. */
export function aspiredVersions(policy: VersionPolicy, existing: readonly number[]): number[] {
  const sorted = [...existing].sort((a, b) => b - a);
  if ('latest' in policy) return sorted.slice(0, policy.latest);
  if ('all' in policy) return sorted;
  return sorted.filter((version) => policy.specific.includes(version));
}

/**
 * Check that a JSON value is a policy.
 *
 * @throws {ServingError} INVALID_ARGUMENT otherwise
 */
export function checkPolicy(value: unknown): VersionPolicy {
  const policy = policyOf(value);
  if (policy) return policy;
  const got = typeof value === 'object' ? JSON.stringify(value) : String(value);
  throw invalidArgument(
    `policy: expected {"latest": n}, {"all": true} or {"specific": [versions]}, got ${got.slice(0, SHOWN_MAX)}`,
  );
}

/** Whether a value is a policy. */
export function isPolicy(value: unknown): value is VersionPolicy {
  return policyOf(value) !== undefined;
}

function policyOf(value: unknown): VersionPolicy | undefined {
  const members = typeof value === 'object' && value !== null ? Object.entries(value) : [];
  const [kind, operand] = members.length === 1 ? members[0]! : ['', undefined];
  if (kind === 'latest' && Number.isSafeInteger(operand) && (operand as number) > 0)
    return { latest: operand as number };
  if (kind === 'all' && operand === true) return { all: true };
  if (kind === 'specific' && Array.isArray(operand) && operand.length > 0 && operand.every(Number.isSafeInteger)) {
    return { specific: operand as number[] };
  }
  return undefined;
}
