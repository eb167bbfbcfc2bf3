/**
 * Writing a container whose sections come in any order: the length of every section is known at the beginning, so each
 * has its place. The header and the table are written last. The file is the one that `writeContainer` writes.
 */
import { assert } from '../checks/assert.ts';
import type { Runtime } from '../parallel/runtime.ts';
import { Checksum } from './checksum.ts';
import {
  type ContainerSection,
  checkSections,
  containerBytes,
  containerHead,
  lengthOf,
  padding,
  sectionOffsets,
} from './writer.ts';

/** Takes bytes at any place of a file; rejects when it cannot. It has used them when the promise resolves. */
export interface PlacedSink {
  writeAt(bytes: Uint8Array, position: number): Promise<void>;
}

/** The checksums of sections that were written, by name. */
export type SectionChecksums = Readonly<Record<string, bigint>>;

/** A container that is being written. */
export class PlacedContainer {
  /** Bytes of the whole file. */
  readonly sizeBytes: number;
  readonly #sections: readonly ContainerSection[];
  readonly #numbers: ReadonlyMap<string, number>;
  readonly #offsets: readonly number[];
  readonly #checksums: (bigint | undefined)[];
  readonly #sink: PlacedSink;
  readonly #runtime: Runtime;

  /** @throws {OptionError} when a name is empty, repeated or longer than 96 bytes, or a section than 4 GiB */
  constructor(sections: readonly ContainerSection[], sink: PlacedSink, runtime: Runtime) {
    checkSections(sections);
    this.sizeBytes = containerBytes(sections);
    this.#sections = sections;
    this.#numbers = new Map(sections.map(({ name }, i) => [name, i]));
    this.#offsets = sectionOffsets(sections);
    this.#checksums = sections.map(() => undefined);
    this.#sink = sink;
    this.#runtime = runtime;
  }

  /** Write a section that was announced with its length. @returns its checksum, for `accept` after a restart */
  async write(name: string, bytes: Uint8Array): Promise<bigint> {
    const at = this.#numberOf(name);
    assert(bytes.length === lengthOf(this.#sections[at]!), `${name}: a section of another length`);
    return this.#write(at, [bytes]);
  }

  /** Take sections as written that are in the file already. */
  accept(checksums: SectionChecksums): void {
    for (const [name, checksum] of Object.entries(checksums)) this.#checksums[this.#numberOf(name)] = checksum;
  }

  /** Write the sections that are in memory, then header and table. */
  async finish(): Promise<void> {
    for (const [at, { name, pieces, laterBytes = 0 }] of this.#sections.entries()) {
      if (laterBytes === 0) await this.#write(at, pieces);
      else assert(this.#checksums[at] !== undefined, `${name}: a section that was not written`);
    }
    const checksum = new Checksum(this.#runtime);
    try {
      await this.#sink.writeAt(containerHead(this.#sections, this.#checksums as bigint[], checksum), 0);
    } finally {
      checksum.free();
    }
  }

  async #write(at: number, pieces: readonly Uint8Array[]): Promise<bigint> {
    const checksum = new Checksum(this.#runtime);
    try {
      const rest = padding(lengthOf(this.#sections[at]!));
      let position = this.#offsets[at]!;
      for (const piece of [...pieces, rest]) {
        checksum.update(piece);
        if (piece.length > 0) await this.#sink.writeAt(piece, position);
        position += piece.length;
      }
      const digest = checksum.digest();
      this.#checksums[at] = digest;
      return digest;
    } finally {
      checksum.free();
    }
  }

  #numberOf(name: string): number {
    const number = this.#numbers.get(name);
    assert(number !== undefined, `${name}: a section that the container does not have`);
    return number;
  }
}
