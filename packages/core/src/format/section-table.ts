/** The first bytes of a container: its magic, version, checksum, and the place of each section. */
import { FormatError } from '../errors/errors.ts';
import type { Checksum } from './checksum.ts';
import {
  aligned,
  CONTAINER_VERSION,
  ENTRY,
  ENTRY_BYTES,
  HEADER,
  HEADER_BYTES,
  MAGIC,
  NAME_BYTES_MAX,
  SECTION_BYTES_MAX,
  SECTION_KIND,
  type SectionKind,
} from './layout.ts';
import type { Source } from './source.ts';
import { headChecksum } from './writer.ts';

/** An entry of the section table. */
export interface SectionEntry {
  name: string;
  kind: SectionKind;
  offset: number;
  length: number;
  checksum: bigint;
}

const HEADER_NAME = 'header';
const TABLE_NAME = 'section table';

/**
 * Read and check the header and the section table.
 *
 * @throws {FormatError} naming 'header', 'section table' or the section that the source cuts off
 */
export async function readSectionTable(source: Source, checksum: Checksum): Promise<SectionEntry[]> {
  const header = new Uint8Array(Math.min(HEADER_BYTES, source.sizeBytes));
  await source.read(0, header);
  const { sections, fileBytes } = readHeader(header);
  const end = HEADER_BYTES + sections * ENTRY_BYTES;
  if (end > source.sizeBytes) {
    throw new FormatError(TABLE_NAME, source.sizeBytes, `expected the table to end at byte ${end}, got the file's end`);
  }
  const head = new Uint8Array(end);
  await source.read(0, head);
  const view = new DataView(head.buffer);
  if (headChecksum(head, checksum) !== view.getBigUint64(HEADER.checksum, true)) {
    throw new FormatError(
      HEADER_NAME,
      HEADER.checksum,
      'expected the checksum of the header and the section table, got a different one',
    );
  }
  return readEntries(view, sections, fileBytes, source.sizeBytes);
}

function readHeader(header: Uint8Array): { sections: number; fileBytes: number } {
  const differs = MAGIC.findIndex((byte, i) => header[i] !== byte);
  if (differs >= 0) {
    const what = header.length === 0 ? 'an empty one' : 'other bytes';
    throw new FormatError(HEADER_NAME, differs, `expected a file saved by Shortlist, got ${what}`);
  }
  if (header.length < HEADER_BYTES) {
    throw new FormatError(HEADER_NAME, header.length, `expected ${HEADER_BYTES} bytes, got the file's end`);
  }
  const view = new DataView(header.buffer);
  const version = view.getUint32(HEADER.version, true);
  if (version < 1 || version > CONTAINER_VERSION) {
    const hint = version > CONTAINER_VERSION ? '; a newer version of Shortlist may read it' : '';
    throw new FormatError(
      HEADER_NAME,
      HEADER.version,
      `expected container version 1 to ${CONTAINER_VERSION}, got ${version}${hint}`,
    );
  }
  return {
    sections: view.getUint32(HEADER.sections, true),
    fileBytes: readLength(view, HEADER.fileBytes, HEADER_NAME),
  };
}

function readEntries(view: DataView, sections: number, fileBytes: number, sizeBytes: number): SectionEntry[] {
  const entries: SectionEntry[] = [];
  const names = new Set<string>();
  let next = HEADER_BYTES + sections * ENTRY_BYTES;
  for (let i = 0; i < sections; i++) {
    const entry = readEntry(view, HEADER_BYTES + i * ENTRY_BYTES);
    if (entry.offset !== next) throw new FormatError(entry.name, entry.offset, `expected to begin at byte ${next}`);
    if (names.has(entry.name)) throw new FormatError(entry.name, entry.offset, 'expected one section of this name');
    next += aligned(entry.length);
    if (next > sizeBytes) {
      throw new FormatError(
        entry.name,
        entry.offset,
        `expected to end at byte ${next}, got a file of ${sizeBytes} bytes`,
      );
    }
    if (entry.length > SECTION_BYTES_MAX) {
      throw new FormatError(
        entry.name,
        entry.offset,
        `expected at most ${SECTION_BYTES_MAX} bytes, got ${entry.length}`,
      );
    }
    names.add(entry.name);
    entries.push(entry);
  }
  if (next !== fileBytes || next !== sizeBytes) {
    throw new FormatError(HEADER_NAME, HEADER.fileBytes, `expected ${fileBytes} bytes in all, got ${sizeBytes}`);
  }
  return entries;
}

function readEntry(view: DataView, at: number): SectionEntry {
  const nameBytes = view.getUint32(at + ENTRY.nameBytes, true);
  if (nameBytes < 1 || nameBytes > NAME_BYTES_MAX) {
    throw new FormatError(TABLE_NAME, at, `expected a name of 1 to ${NAME_BYTES_MAX} bytes, got ${nameBytes}`);
  }
  const name = decodeName(new Uint8Array(view.buffer, at + ENTRY.name, nameBytes), at);
  const code = view.getUint32(at + ENTRY.kind, true);
  const kind = (Object.keys(SECTION_KIND) as SectionKind[]).find((key) => SECTION_KIND[key] === code);
  if (!kind) throw new FormatError(TABLE_NAME, at, `expected a kind from 1 to 3 for ${name}, got ${code}`);
  return {
    name,
    kind,
    offset: readLength(view, at + ENTRY.offset, TABLE_NAME),
    length: readLength(view, at + ENTRY.length, TABLE_NAME),
    checksum: view.getBigUint64(at + ENTRY.checksum, true),
  };
}

function decodeName(bytes: Uint8Array, at: number): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new FormatError(TABLE_NAME, at, 'expected a name in UTF-8');
  }
}

/** An unsigned 64-bit integer that a double holds exactly. */
function readLength(view: DataView, at: number, section: string): number {
  const value = view.getBigUint64(at, true);
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) {
    throw new FormatError(section, at, `expected at most ${Number.MAX_SAFE_INTEGER} bytes, got ${value}`);
  }
  return Number(value);
}
