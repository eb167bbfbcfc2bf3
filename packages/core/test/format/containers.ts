/** Containers for tests: made in memory, and changed with their checksums mended. */
import { checksumOf } from '../../src/format/checksum.ts';
import { ENTRY, ENTRY_BYTES, HEADER, HEADER_BYTES } from '../../src/format/layout.ts';
import { type ContainerSection, toBytes } from '../../src/format/writer.ts';
import { Runtime } from '../../src/parallel/runtime.ts';

/** One runtime for tests that do not need their own. */
export const runtime: Runtime = new Runtime({ threads: 2 });

/** The container of some sections. */
export function containerOf(sections: readonly ContainerSection[], own: Runtime = runtime): Uint8Array {
  return toBytes(sections, own);
}

/** Make header and section checksums right again after a change: a forger's work, or a faulty writer's. */
export function mendChecksums(bytes: Uint8Array): Uint8Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const sections = view.getUint32(HEADER.sections, true);
  const end = Math.min(bytes.length, HEADER_BYTES + sections * ENTRY_BYTES);
  for (let at = HEADER_BYTES; at + ENTRY_BYTES <= end; at += ENTRY_BYTES) {
    const offset = Number(view.getBigUint64(at + ENTRY.offset, true));
    const size = Math.ceil(Number(view.getBigUint64(at + ENTRY.length, true)) / 64) * 64;
    if (offset + size > bytes.length) continue;
    view.setBigUint64(at + ENTRY.checksum, checksumOf(bytes.subarray(offset, offset + size), runtime), true);
  }
  const head = Buffer.concat([bytes.subarray(0, HEADER.checksum), bytes.subarray(HEADER_BYTES, end)]);
  view.setBigUint64(HEADER.checksum, checksumOf(head, runtime), true);
  return bytes;
}
