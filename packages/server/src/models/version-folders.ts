/** The versions below a base path: each folder whose name is a whole number is one, the number is the version. */
import { readdir, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** A version on disk. */
export interface VersionFolder {
  version: number;
  path: string;
  /** Changes when a file of the folder is replaced: a version that failed to load is tried again then. */
  fingerprint: string;
}

/** The journal of a version's updates, beside its bundle. */
export const JOURNAL_NAME = 'updates.journal';
/** What the server itself keeps in a version's folder: the journal, its lock, copies of damaged ones. */
const OWN_PREFIX = 'updates.';

/** The version folders of a base path; none when the path cannot be read. */
export async function listVersions(basePath: string): Promise<VersionFolder[]> {
  const entries = await readdir(basePath, { withFileTypes: true }).catch(() => []);
  const found: VersionFolder[] = [];
  for (const entry of entries) {
    // Leading zeros and signs would give one version two names.
    if (!/^(0|[1-9]\d{0,14})$/.test(entry.name)) continue;
    let path = join(basePath, entry.name);
    if (entry.isSymbolicLink()) {
      // What it points to now: mounted folders of Kubernetes are links that are changed all at once. One that points
      // nowhere is a version that cannot be loaded, so that somebody is told.
      path = await realpath(path).catch(() => path);
    } else if (!entry.isDirectory()) continue;
    found.push({ version: Number(entry.name), path, fingerprint: await fingerprintOf(path) });
  }
  return found.sort((a, b) => a.version - b.version);
}

/** What changes when a file of a version is replaced: of its folder, or of its bundle file alone. */
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

/** A path that is one version itself: a bundle file, or a folder that holds one. */
export async function singleVersion(path: string): Promise<VersionFolder[]> {
  const exists = await stat(path).then(
    () => true,
    () => false,
  );
  return exists ? [{ version: 1, path, fingerprint: await fingerprintOf(path) }] : [];
}
