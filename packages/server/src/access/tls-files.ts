/**
 * TLS keys and certificates from files. They are read again when they change, so that certificates are renewed without
 * a restart. If `ca` is given, every client must present a certificate that this authority has signed (mutual TLS).
 */
import { readFileSync, statSync } from 'node:fs';
import { FileError } from 'shortlist';
import { systemReason } from 'shortlist/node';

/** Paths of PEM files. */
export interface TlsFiles {
  cert: string;
  key: string;
  ca?: string | undefined;
}

/** Time between two checks of the files. */
export const TLS_POLL_MS = 5_000;

/** Keys and certificates as Node's TLS servers take them. */
export interface TlsMaterial {
  cert: Buffer;
  key: Buffer;
  ca?: Buffer;
  requestCert: boolean;
  rejectUnauthorized: boolean;
}

/** Read the files. @throws {FileError} when one cannot be read */
export function readTls(files: TlsFiles): TlsMaterial {
  const read = (path: string): Buffer => {
    try {
      return readFileSync(path);
    } catch (error) {
      throw new FileError(`tls: ${path} cannot be read: ${systemReason(error)}`, { cause: error });
    }
  };
  const mutual = files.ca !== undefined;
  return {
    cert: read(files.cert),
    key: read(files.key),
    ...(mutual ? { ca: read(files.ca!) } : {}),
    requestCert: mutual,
    rejectUnauthorized: mutual,
  };
}

/**
 * Call `reload` with the new material when a file has changed. Returns a function that stops watching.
 * If the new files cannot be read or do not belong together, the old material stays in use and `failed` is called.
 */
export function watchTls(
  files: TlsFiles,
  everyMs: number,
  reload: (material: TlsMaterial) => void,
  failed: (error: unknown) => void,
): () => void {
  const paths = [files.cert, files.key, ...(files.ca === undefined ? [] : [files.ca])];
  const stamp = (): string =>
    paths
      .map((path) => statSync(path, { throwIfNoEntry: false }))
      .map((file) => `${file?.mtimeMs}:${file?.size}:${file?.ino}`)
      .join('|');
  let known = stamp();
  const timer = setInterval(() => {
    const now = stamp();
    if (now === known) return;
    known = now;
    try {
      reload(readTls(files));
    } catch (error) {
      failed(error);
    }
  }, everyMs);
  timer.unref();
  return () => clearInterval(timer);
}
