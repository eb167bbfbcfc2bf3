/**
 * Reads the bytes of a file in chunks, decompressed. The compression, gzip (RFC 1952), zstd (RFC 8878) or none, is recognised
 * by the first bytes and not by the name. Only a few chunks are in memory at a time.
 */
import { createReadStream, type ReadStream } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import * as zlib from 'node:zlib';
import { Decompress } from 'fzstd';
import { AbortedError, DataError, FileError } from 'shortlist';
import { kindOfEntry, systemReason } from 'shortlist/node';

/** The compression of a file. */
export type Compression = 'none' | 'gzip' | 'zstd';

/** Bytes of one read: large enough to make few calls, small enough for the processor's cache. */
const CHUNK_BYTES = 1 << 18;

/** The progress of reading a file. */
export interface ReadProgress {
  /** Bytes read from the disk, before decompression. */
  bytesRead: number;
}

/** A file that can be read from its start as often as needed. */
export interface FileBytes {
  readonly path: string;
  readonly sizeBytes: number;
  readonly compression: Compression;
}

/**
 * Finds the size and the compression of a file.
 *
 * @throws {FileError} when it does not exist, is a folder, or cannot be read
 */
export async function openBytes(path: string): Promise<FileBytes> {
  const sizeBytes = await sizeOfFile(path);
  const head = await readHead(path, 4);
  return { path, sizeBytes, compression: compressionOf(head) };
}

/**
 * The size of a file. Opening a FIFO would wait for a writer, so it is refused before.
 *
 * @throws {FileError} when it does not exist, or is a folder, a FIFO or another thing that has no positions
 */
export async function sizeOfFile(path: string): Promise<number> {
  const found = await stat(path).catch((error: Error) => {
    throw new FileError(`${path}: cannot be read: ${systemReason(error)}`, { cause: error });
  });
  if (!found.isFile()) throw new FileError(`${path}: expected a file, got ${kindOfEntry(found)}`);
  return found.size;
}

/** The compression, by the first four bytes. */
export function compressionOf(head: Uint8Array): Compression {
  if (head[0] === 0x1f && head[1] === 0x8b) return 'gzip';
  if (head[0] === 0x28 && head[1] === 0xb5 && head[2] === 0x2f && head[3] === 0xfd) return 'zstd';
  return 'none';
}

/** The first bytes of a file without decompression; fewer if the file is shorter. @throws as `sizeOfFile` */
export async function readHead(path: string, bytes: number): Promise<Uint8Array> {
  await sizeOfFile(path);
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
 * @throws {DataError} when the compressed bytes are damaged or end too early
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

/** The first decompressed bytes; fewer if the file is shorter. Damage after them is not noticed. */
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
    // The bytes before the damage are enough to recognise the format; reading the file later reports the damage.
    if (length === 0) throw error;
  }
  return Buffer.concat(parts).subarray(0, bytes);
}

type Unpacking = AsyncIterable<Uint8Array>;

function unpacked(raw: ReadStream, compression: Compression): Unpacking {
  if (compression === 'none') return raw;
  if (compression === 'gzip') return piped(raw, zlib.createGunzip({ chunkSize: CHUNK_BYTES }));
  // Node supports zstd since 22.15; the types of the oldest supported Node lack it.
  const { createZstdDecompress } = zlib as { createZstdDecompress?: (options: object) => zlib.Gunzip };
  return createZstdDecompress ? piped(raw, createZstdDecompress({ chunkSize: CHUNK_BYTES })) : unpackedZstd(raw);
}

function piped(raw: ReadStream, through: zlib.Gunzip): Unpacking {
  // `pipe` does not forward errors: without this line a read error would leave the reader waiting.
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
  // Messages of zlib and fzstd for bytes that end too early.
  const isTruncated = /unexpected (end|eof)/i.test(error.message);
  return new DataError(
    `${path}: expected a whole ${compression} file, ` +
      `got one that ${isTruncated ? 'is cut off' : `is damaged (${error.message})`} after ${unpackedBytes} decompressed bytes`,
  );
}
