/**
 * Takes named files out of a zip archive held in memory.
 *
 * Source: PKWARE's APPNOTE.TXT 6.3.10, sections 4.3.7 (local header), 4.3.12 (central directory) and 4.3.16 (its end);
 * all integers are little-endian. The bytes are not trusted: every offset and size is checked before it is used, sizes
 * have limits, and names are compared only, never used as paths. Read: stored and deflated entries. Refused: encrypted
 * and zip64 ones. The CRC is not checked: callers check a sha256.
 */
import { inflateRawSync } from 'node:zlib';
import { DataError } from '../errors/errors.ts';

const END = { signature: 0x06054b50, bytes: 22, entryCount: 10, directoryOffset: 16, commentBytes: 20 };
const CENTRAL = { signature: 0x02014b50, bytes: 46, flags: 8, method: 10, packedBytes: 20, plainBytes: 24 };
const CENTRAL_TAIL = { nameBytes: 28, extraBytes: 30, commentBytes: 32, localOffset: 42 };
const LOCAL = { signature: 0x04034b50, bytes: 30, nameBytes: 26, extraBytes: 28 };
/** A comment's length has 16 bits, so the end record starts at most this far before its own length from the end. */
const COMMENT_BYTES_MAX = 0xffff;
const FLAG_ENCRYPTED = 1;
const METHOD_STORED = 0;
const METHOD_DEFLATED = 8;

/**
 * The bytes of the wanted entries.
 *
 * @param archive what to call the archive in an error
 * @param wanted  entry name → the most bytes it may have
 * @throws {DataError} when the archive is damaged, or lacks or exceeds what is wanted
 */
export function readZip(
  archive: string,
  bytes: Uint8Array,
  wanted: ReadonlyMap<string, number>,
): Map<string, Uint8Array> {
  const fail = (expected: string, got: string): never => {
    throw new DataError(`${archive}: expected ${expected}, got ${got}`);
  };
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const within = (offset: number, length: number, what: string): void => {
    if (offset + length > bytes.length)
      fail(`${what} inside ${bytes.length} bytes`, `bytes ${offset} to ${offset + length}`);
  };
  const record = (
    offset: number,
    { signature, bytes: length }: { signature: number; bytes: number },
    what: string,
  ): void => {
    within(offset, length, what);
    if (view.getUint32(offset, true) !== signature) fail(`${what} at byte ${offset}`, 'other bytes');
  };
  const latin1 = (offset: number, length: number): string =>
    String.fromCharCode(...bytes.subarray(offset, offset + length));

  const end = findEnd(view) ?? fail('a zip archive', 'bytes without an end record');
  const entryCount = view.getUint16(end + END.entryCount, true);
  let offset = view.getUint32(end + END.directoryOffset, true);
  const found = new Map<string, Uint8Array>();
  for (let i = 0; i < entryCount; i++) {
    record(offset, CENTRAL, 'a directory entry');
    const nameBytes = view.getUint16(offset + CENTRAL_TAIL.nameBytes, true);
    within(offset + CENTRAL.bytes, nameBytes, "an entry's name");
    const name = latin1(offset + CENTRAL.bytes, nameBytes);
    const limit = wanted.get(name);
    if (limit !== undefined) {
      if (found.has(name)) fail(`one ${name}`, 'two');
      const method = view.getUint16(offset + CENTRAL.method, true);
      const packedBytes = view.getUint32(offset + CENTRAL.packedBytes, true);
      const plainBytes = view.getUint32(offset + CENTRAL.plainBytes, true);
      const local = view.getUint32(offset + CENTRAL_TAIL.localOffset, true);
      if ((view.getUint16(offset + CENTRAL.flags, true) & FLAG_ENCRYPTED) !== 0)
        fail(`${name} in the clear`, 'encrypted');
      if (plainBytes > limit) fail(`${name} of at most ${limit} bytes`, `${plainBytes}`);
      record(local, LOCAL, `the header of ${name}`);
      const start =
        local +
        LOCAL.bytes +
        view.getUint16(local + LOCAL.nameBytes, true) +
        view.getUint16(local + LOCAL.extraBytes, true);
      within(start, packedBytes, `the data of ${name}`);
      const packed = bytes.subarray(start, start + packedBytes);
      const plain = unpack(packed, method, plainBytes);
      if (plain?.length !== plainBytes) fail(`${plainBytes} bytes of ${name}`, `${plain?.length ?? 'damaged data'}`);
      found.set(name, plain!);
    }
    offset +=
      CENTRAL.bytes +
      nameBytes +
      view.getUint16(offset + CENTRAL_TAIL.extraBytes, true) +
      view.getUint16(offset + CENTRAL_TAIL.commentBytes, true);
  }
  for (const name of wanted.keys()) if (!found.has(name)) fail(`an entry ${name}`, 'none');
  return found;
}

/** The offset of the end record: the last place with its signature whose comment reaches the last byte exactly. */
function findEnd(view: DataView): number | undefined {
  const last = view.byteLength - END.bytes;
  for (let offset = last; offset >= Math.max(0, last - COMMENT_BYTES_MAX); offset--) {
    if (view.getUint32(offset, true) !== END.signature) continue;
    if (view.getUint16(offset + END.commentBytes, true) === last - offset) return offset;
  }
  return undefined;
}

/** The plain bytes, or undefined where they cannot be had; never more than `plainBytes`. */
function unpack(packed: Uint8Array, method: number, plainBytes: number): Uint8Array | undefined {
  if (method === METHOD_STORED) return packed.slice();
  if (method !== METHOD_DEFLATED) return undefined;
  try {
    // zlib wants a limit of at least 1.
    return inflateRawSync(packed, { maxOutputLength: Math.max(1, plainBytes) });
  } catch {
    return undefined;
  }
}
