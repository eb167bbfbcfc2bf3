/** Messages for clients and operators without the absolute paths of the server's machine. */
import { dirname } from 'node:path';

/** An absolute path in a message, of Unix or Windows, up to a space or punctuation, with its last part apart. */
const ABSOLUTE = /(^|[\s'"(=:,])(?:[A-Za-z]:)?[\\/](?:[^\s'"():,\\/]+[\\/])+([^\s'"():,\\/]*)/g;

/** A message about a version's files, with paths relative to the folder that holds the version. */
export function withoutPaths(message: string, path = ''): string {
  const base = dirname(path);
  // First what is known: it may hold spaces.
  const relative = base.length > 1 ? message.replaceAll(`${base}/`, '').replaceAll(base, '.') : message;
  return relative.replace(ABSOLUTE, '$1$2');
}
