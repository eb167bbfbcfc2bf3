/**
 * Writing a container: sections are hashed where they are, then header, table and sections go to a sink in order, so
 * that the file is never in memory as a whole. `writeContainer` takes all bytes before it returns; `writeContainerAsync`
 * lets the event loop run after every piece, and what is saved must not change until it has resolved.
 */
import { OptionError } from '../errors/errors.ts';
import type { Runtime } from '../parallel/runtime.ts';
import { nextTurn } from '../parallel/steps.ts';
import { Checksum } from './checksum.ts';
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

/** A section to write. */
export interface ContainerSection {
  name: string;
  kind: SectionKind;
  /** The bytes, in as many pieces as they stand in. */
  pieces: readonly Uint8Array[];
  /** The number of bytes that `read` yields, or that are written at their place later (placed-container.ts); then there are no pieces. */
  laterBytes?: number;
  /** Yields the bytes piece by piece, each valid until the next: they are read, by a hash and then for the file, and never held as a whole. */
  read?: (() => Iterable<Uint8Array>) | undefined;
}

/** Takes bytes in order; throws when it cannot. It must have used them when it returns. */
export interface Sink {
  write(bytes: Uint8Array): void;
}

/** Takes bytes in order, and says when it has used them; rejects when it cannot. */
export interface AsyncSink {
  write(bytes: Uint8Array): Promise<void>;
}

/**
 * Most bytes hashed, or handed over, in a step: some tenths of a millisecond also for the thread that writes them into
 * new pages, which keeps a core from others until it is done.
 */
export const STEP_BYTES: number = 1 << 17;

/** Bytes of the section's content. */
export function lengthOf({ pieces, laterBytes = 0 }: ContainerSection): number {
  return pieces.reduce((sum, piece) => sum + piece.length, laterBytes);
}

/** Bytes of the whole file. */
export function containerBytes(sections: readonly ContainerSection[]): number {
  return sections.reduce(
    (sum, section) => sum + aligned(lengthOf(section)),
    HEADER_BYTES + sections.length * ENTRY_BYTES,
  );
}

/**
 * Write sections as one container.
 *
 * @throws {OptionError} when a name is empty, repeated or longer than 96 bytes, or a section than 4 GiB
 * @throws whatever the sink throws
 */
export function writeContainer(sections: readonly ContainerSection[], sink: Sink, runtime: Runtime): void {
  for (const bytes of containerSteps(sections, runtime)) if (bytes) sink.write(bytes);
}

/** `writeContainer` with the event loop between its steps; the sections must not change. Rejects with what that throws. */
export async function writeContainerAsync(
  sections: readonly ContainerSection[],
  sink: AsyncSink,
  runtime: Runtime,
): Promise<void> {
  const steps = containerSteps(sections, runtime);
  try {
    for (;;) {
      // A worker that has to be waited for may have no core while others run.
      const step = runtime.pool.withoutWorkers(() => steps.next());
      if (step.done) return;
      if (step.value) await sink.write(step.value);
      await nextTurn();
    }
  } finally {
    steps.return();
  }
}

/** The bytes of a container in order, at most a step's at a time; undefined after a step of hashing. */
export function* containerSteps(
  sections: readonly ContainerSection[],
  runtime: Runtime,
): Generator<Uint8Array | undefined, void> {
  const checksum = new Checksum(runtime);
  try {
    yield yield* headSteps(sections, checksum);
  } finally {
    checksum.free();
  }
  for (const section of sections) {
    for (const piece of section.read?.() ?? section.pieces) yield* stepsOf(piece);
    const rest = padding(lengthOf(section));
    if (rest.length > 0) yield rest;
  }
}

/** Header and table, after a step for each piece hashed. */
function* headSteps(sections: readonly ContainerSection[], checksum: Checksum): Generator<undefined, Uint8Array> {
  checkSections(sections);
  const checksums: bigint[] = [];
  for (const section of sections) {
    for (const piece of section.read?.() ?? section.pieces) {
      for (const bytes of stepsOf(piece)) {
        checksum.update(bytes);
        yield;
      }
    }
    checksums.push(checksum.update(padding(lengthOf(section))).digest());
  }
  return containerHead(sections, checksums, checksum);
}

/** @throws {OptionError} when a name is empty, repeated or too long, or a section is larger than 4 GiB */
export function checkSections(sections: readonly ContainerSection[]): void {
  const names = new Set<string>();
  for (const section of sections) {
    checkName(section.name, names);
    const length = lengthOf(section);
    if (length <= SECTION_BYTES_MAX) continue;
    throw new OptionError(`${section.name}: expected at most ${SECTION_BYTES_MAX} bytes, got ${length}`);
  }
}

/** The place of each section in the file. */
export function sectionOffsets(sections: readonly ContainerSection[]): number[] {
  let offset = HEADER_BYTES + sections.length * ENTRY_BYTES;
  return sections.map((section) => {
    const own = offset;
    offset += aligned(lengthOf(section));
    return own;
  });
}

/** Header and table, given the checksum of each section with its padding. */
export function containerHead(
  sections: readonly ContainerSection[],
  checksums: readonly bigint[],
  checksum: Checksum,
): Uint8Array {
  const head = new Uint8Array(HEADER_BYTES + sections.length * ENTRY_BYTES);
  const view = new DataView(head.buffer);
  head.set(MAGIC, HEADER.magic);
  view.setUint32(HEADER.version, CONTAINER_VERSION, true);
  view.setUint32(HEADER.sections, sections.length, true);
  view.setBigUint64(HEADER.fileBytes, BigInt(containerBytes(sections)), true);
  const offsets = sectionOffsets(sections);
  for (const [i, section] of sections.entries()) {
    const name = new TextEncoder().encode(section.name);
    const at = HEADER_BYTES + i * ENTRY_BYTES;
    view.setUint32(at + ENTRY.kind, SECTION_KIND[section.kind], true);
    view.setUint32(at + ENTRY.nameBytes, name.length, true);
    view.setBigUint64(at + ENTRY.offset, BigInt(offsets[i]!), true);
    view.setBigUint64(at + ENTRY.length, BigInt(lengthOf(section)), true);
    view.setBigUint64(at + ENTRY.checksum, checksums[i]!, true);
    head.set(name, at + ENTRY.name);
  }
  view.setBigUint64(HEADER.checksum, headChecksum(head, checksum), true);
  return head;
}

function* stepsOf(bytes: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += STEP_BYTES) yield bytes.subarray(at, at + STEP_BYTES);
}

/** A container as one array. */
export function toBytes(sections: readonly ContainerSection[], runtime: Runtime): Uint8Array {
  const bytes = new Uint8Array(containerBytes(sections));
  let at = 0;
  const write = (piece: Uint8Array): void => {
    bytes.set(piece, at);
    at += piece.length;
  };
  writeContainer(sections, { write }, runtime);
  return bytes;
}

/** The checksum of header and table: all of `head` but the checksum itself. */
export function headChecksum(head: Uint8Array, checksum: Checksum): bigint {
  return checksum.update(head.subarray(0, HEADER.checksum)).update(head.subarray(HEADER_BYTES)).digest();
}

/** The zeros that fill a section up to the alignment. */
export function padding(length: number): Uint8Array {
  return new Uint8Array(aligned(length) - length);
}

function checkName(name: string, names: Set<string>): void {
  const bytes = new TextEncoder().encode(name);
  if (bytes.length === 0 || bytes.length > NAME_BYTES_MAX) {
    throw new OptionError(`section name: expected 1 to ${NAME_BYTES_MAX} bytes, got ${bytes.length} in ${name}`);
  }
  if (names.has(name)) throw new OptionError(`section name: expected each once, got ${name} twice`);
  names.add(name);
}
