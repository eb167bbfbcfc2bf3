/**
 * Rows for reordering that stay in the file of a bundle (`rows: 'file'` of `loadBundle`). An index with such rows cannot
 * take new candidates; deletions are possible. It can be saved: the rows are copied from the file.
 */
import { FileError, StateError } from '../../errors/errors.ts';
import type { FileSection } from '../../format/reader.ts';
import type { OpenFile } from '../../format/source.ts';
import { RowFile, type RowLocation, RowReadFailure } from '../../kernels/segments/row-file.ts';

/** The rows of one memory in an open file. */
export interface FileRows {
  readonly file: OpenFile;
  readonly location: RowLocation;
  /**
   * The rows as a reader of rows in memory takes them: `place` reads the row of a slot to the beginning of `bytes`. It throws a
   * FileError where the file cannot be read.
   */
  held(rowBytes: number, placeOf: (slot: number) => number): HeldRows;
  /** All bytes of the rows, piece by piece, each valid until the next. It throws a FileError where the file cannot be read. */
  pieces(): Generator<Uint8Array, void>;
}

/** The bytes of rows, and the place of the row of a slot in them, which may have to be read. */
export interface HeldRows {
  bytes: Uint8Array;
  place: (slot: number) => number;
}

/** Bytes of a piece: a read of this size takes some tenths of a millisecond. */
const PIECE_BYTES = 1 << 20;

/** Numbers of locations: descriptors are used again after a file was closed. */
let locations = 0;

/** The rows of a section. @param cacheBytes the cache of each thread */
export function fileRows({ file, offset, sizeBytes }: FileSection, cacheBytes: number): FileRows {
  const { descriptor } = file;
  const copy = (from: RowFile, place: number, to: Uint8Array): void => {
    try {
      from.read([place], 1, to.length, to);
    } catch (error) {
      throw error instanceof RowReadFailure ? rowError(rows, error.offset) : error;
    }
  };
  const rows: FileRows = {
    file,
    location: { id: ++locations, descriptor, offset, sizeBytes, cacheBytes },
    held(rowBytes, placeOf) {
      const opened = new RowFile(rows.location);
      const bytes = new Uint8Array(rowBytes);
      const place = (slot: number): number => {
        copy(opened, placeOf(slot), bytes);
        return 0;
      };
      return { bytes, place };
    },
    *pieces() {
      // A cache would only hold what is never read again.
      const whole = new RowFile({ ...rows.location, cacheBytes: 0 });
      const count = Math.floor(sizeBytes / PIECE_BYTES);
      const piece = new Uint8Array(PIECE_BYTES);
      for (let i = 0; i < count; i++) {
        copy(whole, i, piece);
        yield piece;
      }
      const done = count * PIECE_BYTES;
      const rest = piece.subarray(0, sizeBytes - done);
      if (rest.length === 0) return;
      copy(new RowFile({ ...rows.location, offset: offset + done, sizeBytes: rest.length, cacheBytes: 0 }), 0, rest);
      yield rest;
    },
  };
  return rows;
}

/** The error of rows that could not be read. */
export function rowError({ file }: FileRows, offset: number): FileError {
  return new FileError(`${file.path}: expected rows at byte ${offset}, but the file ends before it or cannot be read`);
}

/** @throws {StateError} where rows stay in a file */
export function checkRowsInMemory(verb: string, rows: FileRows | undefined): void {
  if (!rows) return;
  throw new StateError(`${verb}: expected an index with rows in memory, got one that was loaded with rows: 'file'`);
}
