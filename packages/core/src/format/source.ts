/** The interface of a source of saved bytes. */

/** Bytes that can be read at any place: a file, an array. */
export interface Source {
  readonly sizeBytes: number;
  /** Fill `target` with the bytes from `offset`; throws when it cannot. */
  read(offset: number, target: Uint8Array): Promise<void> | void;
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
