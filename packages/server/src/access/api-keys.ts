/**
 * API keys, which allow clients to read or to change models. The server knows only SHA-256 digests of keys; a presented
 * key is hashed, and its digest is compared with every known one in constant time, so that the time taken does not
 * reveal how close a guess was.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import { OptionError } from 'shortlist';
import { ServingError } from '../status/serving-error.ts';
import { shown } from '../status/shown.ts';

/** The rights of a key: `read` allows queries; `write` also allows changes of candidates, versions and labels. */
export type Role = 'read' | 'write';

/** An accepted key. */
export interface ApiKey {
  /** Name of the key's holder, for logs. */
  name: string;
  /** SHA-256 of the key, 64 hexadecimal digits. */
  sha256: string;
  role: Role;
}

/** Checks keys. If no key is configured, every client may do everything. */
export class ApiKeys {
  readonly #keys: readonly { name: string; digest: Buffer; role: Role }[];

  /** @throws {OptionError} when a key is not a valid `ApiKey` */
  constructor(keys: readonly ApiKey[] = []) {
    this.#keys = keys.map(({ name, sha256, role }, i) => {
      if (!/^[0-9a-f]{64}$/i.test(sha256)) {
        throw new OptionError(
          `keys[${i}].sha256: expected 64 hexadecimal digits, got ${String(sha256).length} characters`,
        );
      }
      if (role !== 'read' && role !== 'write') {
        throw new OptionError(`keys[${i}].role: expected read or write, got ${shown(role)}`);
      }
      return { name, digest: Buffer.from(sha256, 'hex'), role };
    });
  }

  get required(): boolean {
    return this.#keys.length > 0;
  }

  /**
   * The name of a key's holder, or '' if no key is required.
   *
   * @throws {ServingError} UNAUTHENTICATED without an accepted key, PERMISSION_DENIED when the key's role does not
   * suffice
   */
  check(key: string | undefined, needed: Role): string {
    if (!this.required) return '';
    const digest = createHash('sha256')
      .update(key ?? '')
      .digest();
    let found: { name: string; role: Role } | undefined;
    // The loop does not stop at a match, so that its time is the same for every key.
    for (const known of this.#keys) if (timingSafeEqual(known.digest, digest)) found = known;
    if (!found || key === undefined) throw new ServingError('UNAUTHENTICATED', 'A valid API key is required');
    if (needed === 'write' && found.role !== 'write') {
      throw new ServingError('PERMISSION_DENIED', 'This API key may not change anything');
    }
    return found.name;
  }
}

/** The key in an Authorization header (`Bearer KEY`) or an `x-api-key` header. */
export function presentedKey(authorization: string | undefined, apiKey: string | undefined): string | undefined {
  const bearer = /^Bearer +(\S+)$/i.exec(authorization ?? '');
  return bearer?.[1] ?? apiKey;
}
