/**
 * Rows for reordering that stay in the file of a bundle (`rows: 'file'` of `loadBundle`). An index with such rows cannot
 * take new candidates; deletions are possible.
 */
import { FileError, StateError } from '../../errors/errors.ts';
import type { FileSection } from '../../format/reader.ts';
import type { OpenFile } from '../../format/source.ts';
import { RowFile, type RowLocation, RowReadFailure } from '../../kernels/segments/row-file.ts';

/** The rows of one memory in an open file. */
export interface FileRows {
  readonly file: OpenFile;
  readonly location: RowLocation;
  /** A function that copies the row at a place to `to`. It throws a FileError where the file cannot be read. */
  reader(): (place: number, to: Uint8Array) => void;
}

/** Numbers of locations: descriptors are used again after a file was closed. */
let locations = 0;

/** The rows of a section. @param cacheBytes the cache of each thread */
export function fileRows({ file, offset, sizeBytes }: FileSection, cacheBytes: number): FileRows {
  const { descriptor } = file;
  const rows: FileRows = {
    file,
    location: { id: ++locations, descriptor, offset, sizeBytes, cacheBytes },
    reader() {
      const opened = new RowFile(rows.location);
      return (place, to) => {
        try {
          opened.read([place], 1, to.length, to);
        } catch (error) {
          throw error instanceof RowReadFailure ? rowError(rows, error.offset) : error;
        }
      };
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
