/**
 * The reader of containers. It checks the header and the section table first, then reads every section into the memory in
 * which it will be used (numbers into blocks of the linear memory) and checks its checksum there.
 *
 * A length beyond the end of the source is refused before memory is allocated for it. Every fault is a FormatError that names
 * the section and the byte; the blocks of a damaged container are freed. A piece is hashed while the next ones are read, and
 * the event loop runs between two pieces.
 */
import { FormatError } from '../errors/errors.ts';
import type { Block } from '../memory/heap.ts';
import { Runtime } from '../parallel/runtime.ts';
import { Checksum } from './checksum.ts';
import { aligned, SEGMENTS_MAX, type SectionKind } from './layout.ts';
import { readSectionTable, type SectionEntry } from './section-table.ts';
import { type OpenFile, openFileOf, type Source } from './source.ts';

/** Bytes read in one call, and hashed at once: some tenths of a millisecond. */
const READ_BYTES = 1 << 20;
/**
 * The same where reads go one at a time, so as to leave the cores to others: a thread that has been given a core keeps it
 * until its read is over, and new memory takes a millisecond for a few hundred kilobytes.
 */
const SINGLE_READ_BYTES = 1 << 17;
/**
 * Milliseconds between such reads, about as long as one takes: a core that is never idle is one that others wait for (p99 of
 * queries beside 4 instead of 8 ms, for two seconds more of a quarter of a gigabyte).
 */
const REST_MS = 1;
/** Reads under way at a time by default: as many as Node has threads for file access. */
const READS = 4;

/** The path of the part that is a segment, at the start of the name of each of its sections. */
const SEGMENT = /^(?:.*\/)?segment-\d+(?=\/)/;

/** A section that is not read: its bytes stay in the file. */
export interface FileSection {
  readonly file: OpenFile;
  readonly offset: number;
  readonly sizeBytes: number;
}

/** A section as read and checked. */
export interface LoadedSection {
  readonly name: string;
  readonly kind: SectionKind;
  /** Its byte offset in the file. */
  readonly offset: number;
  /** Its content without padding; of kind `memory` a view of `block`, which may have room behind it. */
  readonly bytes: Uint8Array;
  readonly block: Block | undefined;
  /** Its place in the file, if it is not read; then `bytes` is empty. */
  readonly inFile: FileSection | undefined;
  /** The runtime of its memory: that of the container, or that of the segment to which it belongs. */
  readonly runtime: Runtime;
}

/** Options of reading a container. */
export interface ReadOptions {
  /** Bytes of room that the block of a section gets behind what is read; what stands there is undefined. Default 0. */
  roomOf?: (name: string, sizeBytes: number) => number;
  /** True for a section of kind `memory` that stays in the file of the source, without a check of its checksum. Default: none does. */
  staysInFile?: (name: string) => boolean;
  /** Reads under way at a time; a single one is of an eighth of a megabyte, and rests after each. Default 4, of a megabyte. */
  reads?: number | undefined;
}

/**
 * Read every section of a container, in the order of its table.
 *
 * @throws {FormatError} when the bytes are damaged, foreign or of a newer version
 * @throws {MemoryError} when the linear memory cannot hold the sections
 * @throws whatever the source throws
 */
export async function readContainer(
  source: Source,
  runtime: Runtime,
  { roomOf = () => 0, staysInFile = () => false, reads = READS }: ReadOptions = {},
): Promise<LoadedSection[]> {
  const file = openFileOf(source);
  const checksum = new Checksum(runtime);
  const sections: LoadedSection[] = [];
  const segments = new Map<string, Runtime>();
  try {
    for (const entry of await readSectionTable(source, checksum)) {
      const size = aligned(entry.length);
      const { name, kind, offset } = entry;
      const own = runtimeOf(entry, runtime, segments);
      if (kind === 'memory' && file && staysInFile(name)) {
        const inFile = { file, offset, sizeBytes: entry.length };
        sections.push({ name, kind, offset, bytes: new Uint8Array(0), block: undefined, inFile, runtime: own });
        continue;
      }
      const block = kind === 'memory' ? own.heap.allocateUnfilled(size + roomOf(name, size)) : undefined;
      const room = block ? block.bytes() : new Uint8Array(size);
      sections.push({
        name,
        kind,
        offset,
        bytes: room.subarray(0, entry.length),
        block,
        inFile: undefined,
        runtime: own,
      });
      await fill(source, entry, room.subarray(0, size), checksum, runtime, reads);
    }
    return sections;
  } catch (error) {
    freeSections(sections, runtime);
    throw error;
  } finally {
    checksum.free();
  }
}

/** The runtime for a section: each segment of an index has a memory of its own. */
function runtimeOf({ name, offset }: SectionEntry, main: Runtime, segments: Map<string, Runtime>): Runtime {
  const [path] = SEGMENT.exec(name) ?? [];
  if (path === undefined) return main;
  if (!segments.has(path) && segments.size === SEGMENTS_MAX) {
    throw new FormatError(name, offset, `expected at most ${SEGMENTS_MAX} segments, got one more`);
  }
  const known = segments.get(path) ?? new Runtime({}, main);
  segments.set(path, known);
  return known;
}

/** Free the blocks of sections, and the memories of segments. */
export function freeSections(sections: readonly LoadedSection[], main: Runtime): void {
  for (const { block } of sections) block?.free();
  const others = new Set(sections.map(({ runtime }) => runtime));
  others.delete(main);
  for (const { pool } of others) pool.leave();
}

async function fill(
  source: Source,
  entry: SectionEntry,
  room: Uint8Array,
  checksum: Checksum,
  runtime: Runtime,
  readsMax: number,
): Promise<void> {
  const reads: Promise<void>[] = [];
  const readBytes = readsMax === 1 ? SINGLE_READ_BYTES : READ_BYTES;
  let ahead = 0;
  const readNext = async (): Promise<void> => {
    const at = ahead;
    ahead += readBytes;
    await source.read(entry.offset + at, room.subarray(at, ahead));
  };
  try {
    for (let at = 0; at < room.length; at += readBytes) {
      while (reads.length < readsMax && ahead < room.length) {
        const read = readNext();
        // A later read may fail first; it is waited for in its turn.
        read.catch(() => undefined);
        reads.push(read);
      }
      await reads.shift();
      // Not on the workers: while other threads run, a worker may have no core, and the job would wait for it.
      runtime.pool.withoutWorkers(() => checksum.update(room.subarray(at, at + readBytes)));
      if (readsMax === 1) await rest();
    }
  } finally {
    // Reads under way write into memory that must not be freed and used again before they end.
    await Promise.allSettled(reads);
  }
  const found = checksum.digest();
  if (found !== entry.checksum) {
    throw new FormatError(entry.name, entry.offset, `expected checksum ${hex(entry.checksum)}, got ${hex(found)}`);
  }
}

function rest(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, REST_MS));
}

function hex(checksum: bigint): string {
  return checksum.toString(16).padStart(16, '0');
}
