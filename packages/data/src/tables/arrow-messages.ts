/**
 * Reads the messages of an Arrow IPC file or stream one at a time, so that a file of any size can be read by record batches.
 * Source: the Arrow columnar format, "Encapsulated message format" and "IPC file format".
 *
 * A message is FF FF FF FF, the length of its metadata (int32), the metadata (a flatbuffer, padded to 8 bytes), and the body,
 * whose length is in the metadata. A file begins and ends with `ARROW1` and has a footer, which is not read.
 */
import { type FileHandle, open } from 'node:fs/promises';
import { DataError } from 'shortlist';
import { sizeOfFile } from '../bytes/file-bytes.ts';

/** The kind of a message. */
export type ArrowMessageKind = 'schema' | 'dictionary' | 'batch' | 'other';

/** A message: the bytes of its metadata and body. */
export interface ArrowMessage {
  readonly kind: ArrowMessageKind;
  readonly bytes: Uint8Array;
  /** The byte offset of its end in the file. */
  readonly end: number;
}

const MAGIC = 'ARROW1';
const CONTINUATION = 0xffffffff;
/** The values of MessageHeader in Message.fbs. */
const KINDS = new Map<number, ArrowMessageKind>([
  [1, 'schema'],
  [2, 'dictionary'],
  [3, 'batch'],
]);
/** The longest metadata that is read. A damaged length must not allocate all memory; usual metadata has some kilobytes. */
const METADATA_BYTES_MAX = 1 << 28;

/** True for the first bytes of an Arrow IPC file or stream. */
export function isArrow(head: Uint8Array): boolean {
  if (Buffer.from(head.subarray(0, 6)).toString('latin1') === MAGIC) return true;
  if (head.length < 8) return false;
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  const length = view.getInt32(4, true);
  return view.getUint32(0, true) === CONTINUATION && length > 0 && length < METADATA_BYTES_MAX;
}

/**
 * The messages of a file.
 *
 * @throws {DataError} when a message is incomplete, or bytes are not a message
 */
export async function* arrowMessages(path: string): AsyncGenerator<ArrowMessage> {
  await sizeOfFile(path);
  const file = await open(path);
  try {
    const { size } = await file.stat();
    const head = await bytesAt(file, 0, Math.min(8, size));
    let at = head.toString('latin1', 0, 6) === MAGIC ? 8 : 0;
    while (at + 8 <= size) {
      const message = await messageAt(file, path, at, size);
      if (message === undefined) return;
      yield message;
      at = message.end;
    }
  } finally {
    await file.close();
  }
}

async function messageAt(file: FileHandle, path: string, at: number, size: number): Promise<ArrowMessage | undefined> {
  const prefix = await bytesAt(file, at, 8);
  // Before Arrow 0.15 a message began with its length; a length of 0 ends a stream.
  const hasMark = prefix.readUInt32LE(0) === CONTINUATION;
  const metadataBytes = prefix.readInt32LE(hasMark ? 4 : 0);
  if (metadataBytes === 0) return undefined;
  const metadataAt = at + (hasMark ? 8 : 4);
  if (metadataBytes < 0 || metadataBytes > METADATA_BYTES_MAX) {
    throw new DataError(`${path}: expected an Arrow message at byte ${at}, got other bytes`);
  }
  const bodyAt = metadataAt + metadataBytes;
  if (bodyAt > size) throw cutOff(path, size);
  const { kind, bodyBytes } = describe(await bytesAt(file, metadataAt, metadataBytes), path, at);
  const end = bodyAt + bodyBytes;
  if (end > size) throw cutOff(path, size);
  return { kind, bytes: await bytesAt(file, at, end - at), end };
}

/** The kind and the length of the body, which are fields 1 and 3 of the flatbuffer's root table. */
function describe(metadata: Buffer, path: string, at: number): { kind: ArrowMessageKind; bodyBytes: number } {
  try {
    const table = metadata.readUInt32LE(0);
    const vtable = table - metadata.readInt32LE(table);
    const field = (index: number): number => {
      const slot = 4 + 2 * index;
      const offset = slot < metadata.readUInt16LE(vtable) ? metadata.readUInt16LE(vtable + slot) : 0;
      return offset === 0 ? 0 : table + offset;
    };
    const [kindAt, bodyAt] = [field(1), field(3)];
    const bodyBytes = bodyAt === 0 ? 0 : Number(metadata.readBigInt64LE(bodyAt));
    if (bodyBytes < 0) throw new RangeError('a negative length');
    return { kind: KINDS.get(kindAt === 0 ? 0 : metadata[kindAt]!) ?? 'other', bodyBytes };
  } catch {
    throw new DataError(`${path}: expected the metadata of an Arrow message at byte ${at}, got other bytes`);
  }
}

function cutOff(path: string, size: number): DataError {
  return new DataError(`${path}: expected a whole Arrow file, got one that is cut off after ${size} bytes`);
}

async function bytesAt(file: FileHandle, at: number, length: number): Promise<Buffer> {
  // A separate, aligned buffer, because float64 views begin within it.
  const bytes = Buffer.from(new ArrayBuffer(length));
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await file.read(bytes, filled, length - filled, at + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return bytes;
}
