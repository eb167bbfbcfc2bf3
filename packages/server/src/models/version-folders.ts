/** Finds the versions in a base path: each folder whose name is a whole number is the version of that number. */
import { readdir, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** A version on disk. */
export interface VersionFolder {
  version: number;
  /** The folder, with symbolic links resolved. */
  path: string;
  /** The path at which the folder was found, which a link may make lead elsewhere later; default `path`. */
  foundAt?: string;
  /** Fingerprint that changes when a file of the folder is replaced; a version that failed to load is then retried. */
  fingerprint: string;
}

/** The name of the journal of a version's updates, which is in the same folder as the bundle. */
export const JOURNAL_NAME = 'updates.journal';
/**
 * Prefix of the files that the server writes into a version's folder: the journal, its lock, copies of damaged
 * journals.
 */
const OWN_PREFIX = 'updates.';

/** The version folders of a base path; empty if the path cannot be read. */
export async function listVersions(basePath: string): Promise<VersionFolder[]> {
  const entries = await readdir(basePath, { withFileTypes: true }).catch(() => []);
  const found: VersionFolder[] = [];
  for (const entry of entries) {
    // Names with leading zeros or signs are ignored; otherwise one version could have two names.
    if (!/^(0|[1-9]\d{0,14})$/.test(entry.name)) continue;
    const foundAt = join(basePath, entry.name);
    let path = foundAt;
    if (entry.isSymbolicLink()) {
      // A link is resolved, because Kubernetes mounts folders as links and replaces the link on a change. A broken link
      // counts as a version that cannot be loaded, so that the fault is reported.
      path = await realpath(path).catch(() => path);
    } else if (!entry.isDirectory()) continue;
    found.push({ version: Number(entry.name), path, foundAt, fingerprint: await fingerprintOf(path) });
  }
  return found.sort((a, b) => a.version - b.version);
}

/**
 * The fingerprint of a version, given as a folder or a bundle file; it changes when a file of the version is replaced.
 */
export async function fingerprintOf(path: string): Promise<string> {
  const entry = await stat(path).catch(() => undefined);
  if (entry?.isFile()) return `${entry.size}:${entry.mtimeMs}`;
  const names = await readdir(path).catch(() => []);
  const parts: string[] = [];
  for (const name of names.sort()) {
    if (name.startsWith(OWN_PREFIX)) continue;
    const file = await stat(join(path, name)).catch(() => undefined);
    if (file) parts.push(`${name}:${file.size}:${file.mtimeMs}`);
  }
  return parts.join('|');
}

/** The version at a path that is a single version: a bundle file, or a folder that holds one. */
export async function singleVersion(path: string): Promise<VersionFolder[]> {
  const exists = await stat(path).then(
    () => true,
    () => false,
  );
  return exists ? [{ version: 1, path, foundAt: path, fingerprint: await fingerprintOf(path) }] : [];
}
