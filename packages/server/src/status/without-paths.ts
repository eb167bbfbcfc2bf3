/** Removes absolute paths of the server's machine from messages for clients and operators. */
import { dirname } from 'node:path';

/**
 * An absolute path of Unix or Windows in a message, up to a space or punctuation; its last part is a separate group.
 */
const ABSOLUTE = /(^|[\s'"(=:,])(?:[A-Za-z]:)?[\\/](?:[^\s'"():,\\/]+[\\/])+([^\s'"():,\\/]*)/g;

/** A message about a version's files, with paths relative to the folder that holds the version. */
export function withoutPaths(message: string, path = ''): string {
  const base = dirname(path);
  // The known path is replaced first, because it may contain spaces.
  const relative = base.length > 1 ? message.replaceAll(`${base}/`, '').replaceAll(base, '.') : message;
  return relative.replace(ABSOLUTE, '$1$2');
}
