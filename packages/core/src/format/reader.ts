/**
 * Reading a container: header and table are judged first, then every section is read to where it is used, the numbers
 * straight into blocks of the linear memory, and checked there.
 *
 * Nothing is allocated for a length that the source does not have, and whatever is wrong is one FormatError that names
 * the section and the byte. Blocks of a container that turned out damaged are given back.
 */
import { FormatError } from '../errors/errors.ts';
import type { Block } from '../memory/heap.ts';
import type { Runtime } from '../parallel/runtime.ts';
import { CHUNK_BYTES, Checksum, PIECE_CHUNKS } from './checksum.ts';
import { aligned, type SectionKind } from './layout.ts';
import { readSectionTable, type SectionEntry } from './section-table.ts';
import type { Source } from './source.ts';

/** A section as read and checked. */
export interface LoadedSection {
  readonly name: string;
  readonly kind: SectionKind;
  /** Where it stands in the file. */
  readonly offset: number;
  /** Its content without padding; of kind `memory` a view of `block`. */
  readonly bytes: Uint8Array;
  readonly block: Block | undefined;
}

/**
 * Read every section of a container, in the order of its table.
 *
 * @throws {FormatError} when the bytes are damaged, foreign or of a newer version
 * @throws {MemoryError} when the linear memory cannot hold the sections
 * @throws whatever the source throws
 */
export async function readContainer(source: Source, runtime: Runtime): Promise<LoadedSection[]> {
  const checksum = new Checksum(runtime);
  const sections: LoadedSection[] = [];
  try {
    for (const entry of await readSectionTable(source, checksum)) {
      const size = aligned(entry.length);
      const block = entry.kind === 'memory' ? runtime.heap.allocate(size) : undefined;
      const room = block ? block.bytes() : new Uint8Array(size);
      const { name, kind, offset } = entry;
      sections.push({ name, kind, offset, bytes: room.subarray(0, entry.length), block });
      await fill(source, entry, room.subarray(0, size), checksum);
    }
    return sections;
  } catch (error) {
    for (const section of sections) section.block?.free();
    throw error;
  } finally {
    checksum.free();
  }
}

async function fill(source: Source, entry: SectionEntry, room: Uint8Array, checksum: Checksum): Promise<void> {
  for (let at = 0; at < room.length; at += PIECE_CHUNKS * CHUNK_BYTES) {
    const piece = room.subarray(at, at + PIECE_CHUNKS * CHUNK_BYTES);
    await source.read(entry.offset + at, piece);
    checksum.update(piece);
  }
  const found = checksum.digest();
  if (found !== entry.checksum) {
    throw new FormatError(entry.name, entry.offset, `expected checksum ${hex(entry.checksum)}, got ${hex(found)}`);
  }
}

function hex(checksum: bigint): string {
  return checksum.toString(16).padStart(16, '0');
}
