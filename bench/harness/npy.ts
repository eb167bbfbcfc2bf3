/**
 * Reads and writes NumPy's .npy files of version 1: little-endian, one or two dimensions.
 *
 * float16 is converted to float32, and arrays in Fortran order are transposed to rows.
 */
import { readFileSync, writeFileSync } from 'node:fs';

export type NpyData = Float32Array | Float64Array | Int32Array | BigInt64Array | Uint8Array;

export interface Npy<Data extends NpyData = NpyData> {
  readonly data: Data;
  readonly shape: readonly number[];
}

const MAGIC = '\x93NUMPY';
const DESCRIPTIONS: Record<string, new (buffer: ArrayBuffer) => NpyData> = {
  '<f4': Float32Array,
  '<f8': Float64Array,
  '<i4': Int32Array,
  '<i8': BigInt64Array,
  '|u1': Uint8Array,
};

/**
 * Reads an array and its shape.
 *
 * @throws {Error} when the file is not a .npy, has another type, or its size does not match its shape
 */
export function readNpy(path: string): Npy {
  const file = readFileSync(path);
  if (file.toString('latin1', 0, 6) !== MAGIC) throw new Error(`${path}: expected a .npy file`);
  const start = file[6] === 1 ? 10 + file.readUInt16LE(8) : 12 + file.readUInt32LE(8);
  const header = file.toString('latin1', 8, start);
  const description = /'descr': '([^']+)'/.exec(header)?.[1] ?? 'none';
  const numbers = /'shape': \(([^)]*)\)/.exec(header)?.[1] ?? '';
  const shape = numbers.split(',').flatMap((text) => (text.trim() === '' ? [] : [Number(text)]));
  // A copy is aligned, and the bytes of the file can be collected.
  const bytes = new Uint8Array(file.byteLength - start);
  bytes.set(file.subarray(start));
  const kind = DESCRIPTIONS[description];
  if (kind === undefined && description !== '<f2') throw new Error(`${path}: ${description} is not read here`);
  const data = kind === undefined ? widenHalf(new Uint16Array(bytes.buffer)) : new kind(bytes.buffer);
  const wanted = shape.reduce((product, length) => product * length, 1);
  if (data.length !== wanted) throw new Error(`${path}: expected ${wanted} elements, got ${data.length}`);
  if (shape.length === 2 && header.includes("'fortran_order': True")) transpose(data, shape[0]!, shape[1]!);
  return { data, shape };
}

/** Reads rows of float32 or float16. @throws {Error} for other types */
export function readFloats(path: string): Npy<Float32Array> {
  const { data, shape } = readNpy(path);
  if (!(data instanceof Float32Array)) throw new Error(`${path}: expected float32`);
  return { data, shape };
}

/** Writes an array with a shape. */
export function writeNpy(path: string, data: NpyData, shape: readonly number[]): void {
  const description = Object.entries(DESCRIPTIONS).find(([, kind]) => data instanceof kind)?.[0];
  const tuple = shape.length === 1 ? `${shape[0]},` : shape.join(', ');
  const text = `{'descr': '${description}', 'fortran_order': False, 'shape': (${tuple}), }`;
  // The format requires that magic number, version, length and header together end with a line feed and fill a multiple of 64 bytes.
  const padded = `${text.padEnd(64 * Math.ceil((text.length + 11) / 64) - 11)}\n`;
  const head = Buffer.alloc(10 + padded.length);
  head.write(`${MAGIC}\x01\x00`, 'latin1');
  head.writeUInt16LE(padded.length, 8);
  head.write(padded, 10, 'latin1');
  writeFileSync(path, Buffer.concat([head, new Uint8Array(data.buffer, data.byteOffset, data.byteLength)]));
}

function transpose(data: NpyData, rows: number, columns: number): void {
  const columnsFirst = data.slice();
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) data[i * columns + j] = columnsFirst[j * rows + i]!;
  }
}

function widenHalf(halves: Uint16Array): Float32Array {
  return Float32Array.from(halves, (bits) => {
    const exponent = (bits >> 10) & 31;
    const fraction = bits & 1023;
    const magnitude = exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25);
    const value = exponent === 31 ? (fraction === 0 ? Infinity : NaN) : magnitude;
    return bits >> 15 === 0 ? value : -value;
  });
}
