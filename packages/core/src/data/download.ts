/**
 * Fetches one file whose length and sha256 are known beforehand.
 *
 * The received bytes are kept in a part file, so that a later call resumes the download (HTTP Range, RFC 9110, section 14).
 * The bytes are returned only when the sha256 of the whole file is right. Time-outs and the known length end a download from
 * a server that is silent, too slow, or sends too much. Node only.
 */
import { createHash } from 'node:crypto';
import { type FileHandle, mkdir, open, readFile, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { AbortedError, DownloadError, FileError } from '../errors/errors.ts';
import { systemReason } from '../errors/system-errors.ts';

/** The most attempts of one call: a transfer that breaks off is resumed. */
const ATTEMPTS = 3;

/** The progress of a download; bytes received by an earlier call count as received. */
export interface DownloadProgress {
  readonly receivedBytes: number;
  readonly totalBytes: number;
}

/** The file to fetch, and time-outs. */
export interface DownloadOptions {
  readonly url: string;
  readonly sizeBytes: number;
  /** Lower-case hexadecimal. */
  readonly sha256: string;
  /**
   * The file for the bytes received so far. Its folder is created; the file is removed when the download is complete.
   */
  readonly partFile: string;
  /** The longest time without new bytes, also before the response begins; default 15 seconds. */
  readonly idleTimeoutMs?: number;
  /** The longest time of a download; default 10 minutes. */
  readonly totalTimeoutMs?: number;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: DownloadProgress) => void) | undefined;
}

/**
 * The bytes of the file at `url`.
 *
 * @throws {DownloadError} when it cannot be fetched, or is not the expected file
 * @throws {FileError} when the part file cannot be written
 * @throws {AbortedError} when `signal` is raised; what came so far is kept
 */
export async function download(options: DownloadOptions): Promise<Uint8Array> {
  const { url, sizeBytes, sha256, partFile, idleTimeoutMs = 15_000, totalTimeoutMs = 600_000, signal } = options;
  const controller = new AbortController();
  const giveUp = (expected: string): void =>
    controller.abort(new DownloadError(`${url}: expected ${expected}, got a time-out`));
  const interrupt = (): void => controller.abort(new AbortedError('download: interrupted', { cause: signal?.reason }));
  if (signal?.aborted) interrupt();
  signal?.addEventListener('abort', interrupt);
  const total = setTimeout(giveUp, totalTimeoutMs, `the whole file within ${totalTimeoutMs} ms`);
  const idle = setTimeout(giveUp, idleTimeoutMs, `an answer within ${idleTimeoutMs} ms`);
  try {
    controller.signal.throwIfAborted();
    await onDisk(partFile, mkdir(dirname(partFile), { recursive: true }));
    // A wrong sha256 may come from bytes that an earlier call left behind: the download starts again from the first byte.
    let resumed = (await heldBytes(partFile)) > 0;
    let failure = '';
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const held = await fetchRest(options, controller.signal, idle);
      if (held < sizeBytes) {
        failure = `${url}: expected ${sizeBytes} bytes, got ${held} before the connection broke off`;
        continue;
      }
      const bytes = await onDisk(partFile, readFile(partFile));
      await onDisk(partFile, rm(partFile));
      const digest = createHash('sha256').update(bytes).digest('hex');
      if (digest === sha256) return bytes;
      failure = `${url}: expected sha256 ${sha256}, got ${digest}`;
      if (!resumed) break;
      resumed = false;
    }
    throw new DownloadError(failure);
  } finally {
    // Frees the connection of an answer that was not read to its end.
    controller.abort();
    clearTimeout(total);
    clearTimeout(idle);
    signal?.removeEventListener('abort', interrupt);
  }
}

/** Ask for what the part file lacks and append it; returns how many bytes it has then. */
async function fetchRest(
  { url, sizeBytes, partFile, onProgress }: DownloadOptions,
  signal: AbortSignal,
  idle: NodeJS.Timeout,
): Promise<number> {
  let held = await heldBytes(partFile);
  if (held === sizeBytes) return held;
  if (held > sizeBytes) {
    await onDisk(partFile, rm(partFile));
    held = 0;
  }
  // A range of a compressed response would count other bytes.
  const headers: Record<string, string> = { 'accept-encoding': 'identity' };
  if (held > 0) headers.range = `bytes=${held}-`;
  idle.refresh();
  const response = await fetch(url, { headers, signal }).catch((cause: Error) => {
    signal.throwIfAborted();
    throw new DownloadError(`${url}: expected an answer, got ${reasonOf(cause)}`, { cause });
  });
  if (held > 0 && response.status === 416) {
    // The server has no such range, so the part is of another file: the next attempt starts anew.
    await onDisk(partFile, rm(partFile));
    return 0;
  }
  const start = startOf(response, held, sizeBytes);
  const file = await onDisk(partFile, open(partFile, start === 0 ? 'w' : 'a'));
  try {
    return await append(response, file, start, { url, sizeBytes, partFile, onProgress, signal, idle });
  } finally {
    await file.close();
  }
}

/** The position in the file of the first byte of the response's body. */
function startOf(response: Response, held: number, sizeBytes: number): number {
  const { status, url, headers } = response;
  const length = headers.get('content-length');
  if (status === 206 && headers.get('content-range')?.startsWith(`bytes ${held}-`)) return held;
  if (status === 200 && (length === null || Number(length) === sizeBytes)) return 0;
  const got = status === 200 ? `${length} bytes` : `HTTP status ${status}`;
  throw new DownloadError(`${url}: expected a file of ${sizeBytes} bytes, got ${got}`);
}

interface Transfer {
  url: string;
  sizeBytes: number;
  partFile: string;
  onProgress: DownloadOptions['onProgress'];
  signal: AbortSignal;
  idle: NodeJS.Timeout;
}

/** Write the body to the file as it comes, up to its end or to where the connection breaks off. */
async function append(response: Response, file: FileHandle, start: number, transfer: Transfer): Promise<number> {
  const { url, sizeBytes, partFile, onProgress, signal, idle } = transfer;
  const reader = response.body!.getReader();
  let received = start;
  for (;;) {
    onProgress?.({ receivedBytes: received, totalBytes: sizeBytes });
    signal.throwIfAborted();
    const { value: chunk } = await reader.read().catch(() => {
      signal.throwIfAborted();
      return { value: undefined };
    });
    if (chunk === undefined) return received;
    idle.refresh();
    received += chunk.length;
    if (received > sizeBytes) {
      await onDisk(partFile, rm(partFile));
      throw new DownloadError(`${url}: expected ${sizeBytes} bytes, got more`);
    }
    await onDisk(partFile, file.writeFile(chunk));
  }
}

async function heldBytes(file: string): Promise<number> {
  return stat(file).then(
    ({ size }) => size,
    () => 0,
  );
}

/** Name the file when the system refuses. */
async function onDisk<T>(file: string, work: Promise<T>): Promise<T> {
  return work.catch((cause: NodeJS.ErrnoException) => {
    throw new FileError(`${file}: cannot be written: ${systemReason(cause)}`, { cause });
  });
}

/** The reason for which fetch failed, in a word; the system's code is in the cause of the error. */
function reasonOf(error: Error): string {
  const { cause } = error as { cause?: { code?: string; message?: string } };
  return cause?.code ?? cause?.message ?? error.message;
}
