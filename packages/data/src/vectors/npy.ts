/**
 * Reads NumPy's `.npy`, versions 1 to 3, with either byte order, in C or Fortran order. Source: numpy.lib.format. Object arrays,
 * which would need Python's pickle, and structured arrays are refused.
 */
import type { FileHandle } from 'node:fs/promises';
import { DataError } from 'shortlist';
import type { VectorFile } from './contract.ts';
import { ELEMENT_TYPES, type ElementType, swapBytes } from './elements.ts';
import { bytesAt, rowBatches, withFile } from './positional-file.ts';

/** The first bytes of a `.npy` file, as latin-1. */
export const NPY_MAGIC = '\x93NUMPY';
/** The longest header; NumPy also refuses more than 10,000 bytes by default. */
const HEADER_BYTES_MAX = 1 << 16;

/** The contents of the header. */
export interface NpyHeader {
  readonly type: ElementType;
  readonly isBigEndian: boolean;
  readonly isFortran: boolean;
  readonly shape: readonly number[];
  /** Byte offset of the first number. */
  readonly dataAt: number;
}

/**
 * The header of a file.
 *
 * @throws {DataError} when the file is not a `.npy`, does not hold numbers, or ends too early
 */
export async function readNpyHeader(path: string): Promise<NpyHeader> {
  return withFile(path, async (file, sizeBytes) => {
    const head = await bytesAt(path, file, 0, Math.min(12, sizeBytes));
    if (head.length < 12 || head.toString('latin1', 0, 6) !== NPY_MAGIC) {
      throw new DataError(`${path}: expected a .npy file, got other bytes`);
    }
    const dataAt = head[6] === 1 ? 10 + head.readUInt16LE(8) : 12 + head.readUInt32LE(8);
    if (dataAt > HEADER_BYTES_MAX) throw new DataError(`${path}: expected a .npy header, got one of ${dataAt} bytes`);
    const text = (await bytesAt(path, file, 8, dataAt - 8)).toString('latin1');
    const header = { ...parseHeader(path, text), dataAt };
    const wanted = dataAt + header.type.bytes * header.shape.reduce((a, b) => a * b, 1);
    if (sizeBytes < wanted) {
      throw new DataError(`${path}: expected ${wanted} bytes for shape (${header.shape.join(', ')}), got ${sizeBytes}`);
    }
    return header;
  });
}

function parseHeader(path: string, text: string): Omit<NpyHeader, 'dataAt'> {
  const description = /'descr':\s*'([<>|=]?)([a-zA-Z]\d*)'/.exec(text);
  const type = ELEMENT_TYPES.get(description?.[2] ?? '');
  if (type === undefined) {
    const got = description?.[2] ?? /'descr':\s*([^,]+)/.exec(text)?.[1] ?? 'no type';
    const names = [...ELEMENT_TYPES.values()].map(({ name }) => name).join(', ');
    throw new DataError(`${path}: expected numbers (${names}), got ${got}`);
  }
  const shape = /'shape':\s*\(([^)]*)\)/.exec(text)?.[1];
  if (shape === undefined) throw new DataError(`${path}: expected a shape in the .npy header, got none`);
  // Python 2 wrote long integers as 10L.
  const sizes = shape.split(',').flatMap((part) => (part.trim() === '' ? [] : [Number(part.trim().replace(/L$/, ''))]));
  if (!sizes.every((size) => Number.isSafeInteger(size) && size >= 0)) {
    throw new DataError(`${path}: expected a shape of whole numbers, got (${shape})`);
  }
  return {
    type,
    isBigEndian: description![1] === '>',
    isFortran: /'fortran_order':\s*True/.test(text),
    shape: sizes,
  };
}

/**
 * The rows of a matrix [rows, dimensions].
 *
 * @throws {DataError} when the array is not two-dimensional
 */
export async function npyVectors(path: string): Promise<VectorFile> {
  const header = await readNpyHeader(path);
  const [rows, dimensions] = header.shape;
  if (header.shape.length !== 2 || rows === undefined || dimensions === undefined || dimensions === 0) {
    throw new DataError(`${path}: expected a matrix [rows, dimensions], got shape (${header.shape.join(', ')})`);
  }
  const order = header.isFortran ? ' in Fortran order' : '';
  return {
    path,
    description: `.npy of ${header.type.name}${order}`,
    rows,
    dimensions,
    batches: (request = {}) =>
      rowBatches(path, rows, request, (file, first, count) =>
        header.isFortran
          ? fortranRows(path, file, header, first, count)
          : numbersAt(path, file, header, first * dimensions, count * dimensions),
      ),
  };
}

/**
 * A whole array of any shape, as float32 in C order.
 *
 * @throws {DataError} when an array of more than two dimensions is in Fortran order
 */
export async function npyArray(path: string): Promise<{ shape: readonly number[]; data: Float32Array }> {
  const header = await readNpyHeader(path);
  const { shape, isFortran } = header;
  if (isFortran && shape.length > 2) {
    throw new DataError(`${path}: expected C order for ${shape.length} dimensions, got Fortran order`);
  }
  const data = await withFile(path, (file) =>
    isFortran && shape.length === 2
      ? fortranRows(path, file, header, 0, shape[0]!)
      : numbersAt(
          path,
          file,
          header,
          0,
          shape.reduce((product, size) => product * size, 1),
        ),
  );
  return { shape, data };
}

/**
 * The exact whole numbers of a one-dimensional array as text, for identifiers.
 *
 * @throws {DataError} when the array holds other numbers, or has more than one dimension
 */
export async function npyIntegers(path: string): Promise<string[]> {
  const { type, isBigEndian, shape, dataAt } = await readNpyHeader(path);
  if (shape.length !== 1 || !/^u?int/.test(type.name)) {
    throw new DataError(`${path}: expected whole numbers [rows], got ${type.name} of shape (${shape.join(', ')})`);
  }
  return withFile(path, async (file) => {
    const bytes = await bytesAt(path, file, dataAt, shape[0]! * type.bytes);
    if (isBigEndian) swapBytes(bytes, type.bytes);
    return Array.from({ length: shape[0]! }, (_, row) => String(type.exact(bytes, row * type.bytes)));
  });
}

async function numbersAt(
  path: string,
  file: FileHandle,
  { type, isBigEndian, dataAt }: NpyHeader,
  first: number,
  count: number,
): Promise<Float32Array> {
  const bytes = await bytesAt(path, file, dataAt + first * type.bytes, count * type.bytes);
  if (isBigEndian) swapBytes(bytes, type.bytes);
  const numbers = new Float32Array(count);
  type.decode(bytes, count, numbers, 0);
  return numbers;
}

/** Rows of an array in Fortran order: reads a piece of each column and transposes them. */
async function fortranRows(
  path: string,
  file: FileHandle,
  header: NpyHeader,
  first: number,
  count: number,
): Promise<Float32Array> {
  const [rows, dimensions] = header.shape as [number, number];
  const data = new Float32Array(count * dimensions);
  for (let column = 0; column < dimensions; column++) {
    const numbers = await numbersAt(path, file, header, column * rows + first, count);
    for (let row = 0; row < count; row++) data[row * dimensions + column] = numbers[row]!;
  }
  return data;
}
