/**
 * The layout of the container, table by table; docs/format.md is its prose. Integers are little-endian.
 *
 *   header          64 bytes   magic, container version, sections n, file bytes, 32 zero bytes, checksum
 *   section table   n × 128    kind, name bytes, offset, length, checksum, name padded with zeros to 96 bytes
 *   sections                   in the order of the table, each from a multiple of 64, padded with zeros to one
 *
 * The header's checksum covers its first 56 bytes and the section table; a section's covers its bytes and padding. So
 * every byte of a file is covered by exactly one checksum, and where a section lies follows from the lengths before it.
 */

/** High bit against 7-bit channels, name, CR LF against newline translation, Ctrl-Z against `type` (as PNG's). */
export const MAGIC: readonly number[] = [0x89, 0x53, 0x4c, 0x53, 0x54, 0x0d, 0x0a, 0x1a];
/** The newest container this library writes and reads. */
export const CONTAINER_VERSION = 1;

/** Bytes of the header. */
export const HEADER_BYTES = 64;
/** Positions in the header. */
export const HEADER = { magic: 0, version: 8, sections: 12, fileBytes: 16, checksum: 56 } as const;

/** Bytes of a line of the section table. */
export const ENTRY_BYTES = 128;
/** Positions in a line of the section table. */
export const ENTRY = { kind: 0, nameBytes: 4, offset: 8, length: 16, checksum: 24, name: 32 } as const;
/** Most bytes of a section's name. */
export const NAME_BYTES_MAX: number = ENTRY_BYTES - ENTRY.name;

/** Sections begin and end at multiples of this: the alignment of the linear memory's blocks. */
export const ALIGNMENT_BYTES = 64;

/** Most bytes of a section: what the linear memory could hold at all. */
export const SECTION_BYTES_MAX: number = 2 ** 32;

/** The most segments of a container and of an index: one process on Node 20 can reserve this many memories of 4 GiB. */
export const SEGMENTS_MAX = 64;

/** The kinds of sections, each with the memory that it is read into. */
export const SECTION_KIND = {
  /** JSON text. */
  settings: 1,
  /** Numbers that kernels read: a block of the linear memory. */
  memory: 2,
  /** Bytes that only JavaScript reads. */
  bytes: 3,
} as const;

/** The name of a kind. */
export type SectionKind = keyof typeof SECTION_KIND;

/** Round up to the alignment. */
export function aligned(sizeBytes: number): number {
  return Math.ceil(sizeBytes / ALIGNMENT_BYTES) * ALIGNMENT_BYTES;
}
