/**
 * The bytes of a file, in chunks and decompressed: plain, gzip (RFC 1952) or zstd (RFC 8878), told by the first bytes and
 * never by the name. Nothing larger than a few chunks is held, whatever the size of the file.
 */
import { createReadStream, type ReadStream } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import * as zlib from 'node:zlib';
import { Decompress } from 'fzstd';
import { AbortedError, DataError, FileError } from 'shortlist';
import { systemReason } from 'shortlist/node';

/** The compression of a file. */
export type Compression = 'none' | 'gzip' | 'zstd';

/** Bytes asked of the disk at once: large enough that the calls cost nothing, small enough to stay in the cache. */
const CHUNK_BYTES = 1 << 18;

/** The progress of reading a file. */
export interface ReadProgress {
  /** Bytes of the file, as it lies on the disk. */
  bytesRead: number;
}

/** A file that can be read from its start as often as needed. */
export interface FileBytes {
  readonly path: string;
  readonly sizeBytes: number;
  readonly compression: Compression;
}

/**
 * Looks at a file: its size, and how it is packed.
 *
 * @throws {FileError} when there is none, or it is a folder, or it may not be read
 */
export async function openBytes(path: string): Promise<FileBytes> {
  const found = await stat(path).catch((error: Error) => {
    throw new FileError(`${path}: cannot be read: ${systemReason(error)}`, { cause: error });
  });
  if (found.isDirectory()) throw new FileError(`${path}: expected a file, got a folder`);
  const head = await readHead(path, 4);
  return { path, sizeBytes: found.size, compression: compressionOf(head) };
}

/** The packing that the first four bytes tell. */
export function compressionOf(head: Uint8Array): Compression {
  if (head[0] === 0x1f && head[1] === 0x8b) return 'gzip';
  if (head[0] === 0x28 && head[1] === 0xb5 && head[2] === 0x2f && head[3] === 0xfd) return 'zstd';
  return 'none';
}

/** The first bytes of a file as they lie on the disk; fewer where it is shorter. */
export async function readHead(path: string, bytes: number): Promise<Uint8Array> {
  const file = await open(path).catch((error: Error) => {
    throw new FileError(`${path}: cannot be read: ${systemReason(error)}`, { cause: error });
  });
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(bytes), 0, bytes, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

/**
 * The decompressed bytes, chunk by chunk.
 *
 * @throws {DataError} where the packed bytes are damaged or end too early
 * @throws {AbortedError} when the signal is raised
 */
export async function* fileChunks(
  file: FileBytes,
  progress: ReadProgress = { bytesRead: 0 },
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const raw = createReadStream(file.path, { highWaterMark: CHUNK_BYTES });
  raw.on('data', (chunk) => {
    progress.bytesRead += chunk.length;
  });
  raw.pause();
  let unpackedBytes = 0;
  try {
    for await (const chunk of unpacked(raw, file.compression)) {
      if (signal?.aborted) throw new AbortedError(`${file.path}: interrupted`, { cause: signal.reason });
      unpackedBytes += chunk.length;
      yield chunk;
    }
  } catch (error) {
    throw explained(file, error as Error & { code?: unknown }, unpackedBytes);
  } finally {
    raw.destroy();
  }
}

/** The first decompressed bytes; fewer where there are fewer. A damaged end is not noticed here. */
export async function sampleBytes(file: FileBytes, bytes: number): Promise<Uint8Array> {
  if (file.compression === 'none') return readHead(file.path, bytes);
  const parts: Uint8Array[] = [];
  let length = 0;
  try {
    for await (const chunk of fileChunks(file)) {
      parts.push(chunk);
      length += chunk.length;
      if (length >= bytes) break;
    }
  } catch (error) {
    // What was unpacked before the damage is enough to recognise the file; reading it reports the damage with its place.
    if (length === 0) throw error;
  }
  return Buffer.concat(parts).subarray(0, bytes);
}

type Unpacking = AsyncIterable<Uint8Array>;

function unpacked(raw: ReadStream, compression: Compression): Unpacking {
  if (compression === 'none') return raw;
  if (compression === 'gzip') return piped(raw, zlib.createGunzip({ chunkSize: CHUNK_BYTES }));
  // Node has zstd of its own from 22.15 on; the types of the oldest Node that is supported do not know it.
  const { createZstdDecompress } = zlib as { createZstdDecompress?: (options: object) => zlib.Gunzip };
  return createZstdDecompress ? piped(raw, createZstdDecompress({ chunkSize: CHUNK_BYTES })) : unpackedZstd(raw);
}

function piped(raw: ReadStream, through: zlib.Gunzip): Unpacking {
  // `pipe` passes no error on: without this a disk that fails would look like a file that never ends.
  raw.on('error', (error) => through.destroy(error));
  return raw.pipe(through);
}

async function* unpackedZstd(raw: ReadStream): AsyncGenerator<Uint8Array> {
  let ready: Uint8Array[] = [];
  const stream = new Decompress((chunk) => {
    if (chunk.length > 0) ready.push(chunk.slice());
  });
  const take = (): Uint8Array[] => {
    const taken = ready;
    ready = [];
    return taken;
  };
  for await (const chunk of raw) {
    stream.push(chunk as Uint8Array);
    yield* take();
  }
  stream.push(new Uint8Array(0), true);
  yield* take();
}

function explained({ path, compression }: FileBytes, error: Error & { code?: unknown }, unpackedBytes: number): Error {
  if (error instanceof AbortedError || error instanceof DataError) return error;
  const { code } = error;
  if (compression === 'none' || (typeof code === 'string' && /^E[A-Z]+$/.test(code))) {
    return new FileError(`${path}: cannot be read: ${systemReason(error)}`, { cause: error });
  }
  // zlib's and fzstd's words for an end that comes too early.
  const isTruncated = /unexpected (end|eof)/i.test(error.message);
  return new DataError(
    `${path}: expected a whole ${compression} file, ` +
      `got one that ${isTruncated ? 'is cut off' : `is damaged (${error.message})`} after ${unpackedBytes} unpacked bytes`,
  );
}
