/**
 * Reads the vector files of nearest-neighbour benchmarks. In fvecs, bvecs and ivecs (corpus-texmex.irisa.fr) each row is its
 * length as int32, then float32, uint8 or int32 numbers. In big-ann files (big-ann-benchmarks.com) the numbers of rows and
 * dimensions are uint32, followed by all numbers; their type is given by the ending (fbin, u8bin, i8bin, f16bin, ibin), or
 * for `.bin` by the size of the file.
 */
import { extname } from 'node:path';
import { DataError } from 'shortlist';
import type { VectorFile } from './contract.ts';
import { ELEMENT_TYPES, type ElementType } from './elements.ts';
import { bytesAt, rowBatches, withFile } from './positional-file.ts';

/** Number types by ending, of files whose rows begin with their length. */
const VECS: ReadonlyMap<string, string> = new Map([
  ['.fvecs', 'f4'],
  ['.bvecs', 'u1'],
  ['.ivecs', 'i4'],
]);
/** Number types by ending, of big-ann files. */
const BINS: ReadonlyMap<string, string> = new Map([
  ['.fbin', 'f4'],
  ['.u8bin', 'u1'],
  ['.i8bin', 'i1'],
  ['.f16bin', 'f2'],
  ['.ibin', 'i4'],
]);
const PREFIX_BYTES = 4;
const HEADER_BYTES = 8;

/** True if the ending of a name is one of these formats. */
export function isRawVectors(path: string): boolean {
  const ending = extname(path).toLowerCase();
  return VECS.has(ending) || BINS.has(ending) || ending === '.bin';
}

/**
 * The vectors of a file in one of these formats.
 *
 * @throws {DataError} when its size is not a whole number of rows
 */
export async function rawVectors(path: string): Promise<VectorFile> {
  const ending = extname(path).toLowerCase();
  const code = VECS.get(ending);
  return code === undefined ? binVectors(path, ending) : vecsVectors(path, ending, ELEMENT_TYPES.get(code)!);
}

async function vecsVectors(path: string, ending: string, type: ElementType): Promise<VectorFile> {
  const { dimensions, rows } = await withFile(path, async (file, sizeBytes) => {
    const length = sizeBytes < PREFIX_BYTES ? 0 : (await bytesAt(path, file, 0, PREFIX_BYTES)).readInt32LE(0);
    const whole = sizeBytes / (PREFIX_BYTES + length * type.bytes);
    if (length <= 0 || !Number.isInteger(whole)) {
      throw new DataError(`${path}: expected whole rows of ${type.name} after their length, got ${sizeBytes} bytes`);
    }
    return { dimensions: length, rows: whole };
  });
  const rowBytes = PREFIX_BYTES + dimensions * type.bytes;
  return {
    path,
    description: `${ending.slice(1)} (${type.name})`,
    rows,
    dimensions,
    batches: (request = {}) =>
      rowBatches(path, rows, request, async (file, first, count) => {
        const bytes = await bytesAt(path, file, first * rowBytes, count * rowBytes);
        const data = new Float32Array(count * dimensions);
        for (let row = 0; row < count; row++) {
          const at = row * rowBytes;
          const length = bytes.readInt32LE(at);
          if (length !== dimensions) {
            throw new DataError(
              `${path}: expected ${dimensions} dimensions in every row, got ${length} in row ${first + row}`,
            );
          }
          type.decode(bytes.subarray(at + PREFIX_BYTES, at + rowBytes), dimensions, data, row * dimensions);
        }
        return data;
      }),
  };
}

async function binVectors(path: string, ending: string): Promise<VectorFile> {
  const { rows, dimensions, type } = await withFile(path, async (file, sizeBytes) => {
    const head = await bytesAt(path, file, 0, Math.min(HEADER_BYTES, sizeBytes));
    const isWhole = head.length === HEADER_BYTES;
    const [n, d] = isWhole ? [head.readUInt32LE(0), head.readUInt32LE(4)] : [0, 0];
    const named = BINS.get(ending);
    const bytes = (sizeBytes - HEADER_BYTES) / (n * d);
    // In a `.bin` file, numbers of four bytes are float32, of two bytes float16 and of one byte uint8, as in the benchmark.
    const code = named ?? (bytes === 4 ? 'f4' : bytes === 2 ? 'f2' : bytes === 1 ? 'u1' : undefined);
    const found = ELEMENT_TYPES.get(code ?? '');
    if (!isWhole || n === 0 || d === 0 || found === undefined || found.bytes !== bytes) {
      throw new DataError(
        `${path}: expected rows and dimensions, then all numbers, got ${n} × ${d} in ${sizeBytes} bytes`,
      );
    }
    return { rows: n, dimensions: d, type: found };
  });
  return {
    path,
    description: `big-ann .bin of ${type.name}`,
    rows,
    dimensions,
    batches: (request = {}) =>
      rowBatches(path, rows, request, async (file, first, count) => {
        const length = count * dimensions;
        const at = HEADER_BYTES + first * dimensions * type.bytes;
        const data = new Float32Array(length);
        type.decode(await bytesAt(path, file, at, length * type.bytes), length, data, 0);
        return data;
      }),
  };
}
