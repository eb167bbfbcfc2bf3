/** The interface of a source of saved bytes. */

/** A file that stays open after its source was read. */
export interface OpenFile {
  readonly path: string;
  readonly descriptor: number;
  /** Close the file; a second call does nothing. */
  close(): void;
}

/** Bytes that can be read at any place: a file, an array. */
export interface Source {
  readonly sizeBytes: number;
  /** Fill `target` with the bytes from `offset`; throws when it cannot. */
  read(offset: number, target: Uint8Array): Promise<void> | void;
}

/** A source whose file may stay open after it was read. */
export interface FileSource extends Source {
  readonly file: OpenFile;
}

/** The file of a source that may stay open; undefined for other sources. */
export function openFileOf(source: Source): OpenFile | undefined {
  return 'file' in source ? (source as FileSource).file : undefined;
}

/** A whole array as a source. */
export function bytesSource(bytes: Uint8Array): Source {
  return {
    sizeBytes: bytes.length,
    read(offset, target) {
      target.set(bytes.subarray(offset, offset + target.length));
    },
  };
}
