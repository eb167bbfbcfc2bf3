/** Converts the number types of vector files to float32. float16 is converted exactly; float64 and 64-bit integers are rounded. */

/** The storage type of a number. */
export interface ElementType {
  /** The name of the type in NumPy. */
  readonly name: string;
  readonly bytes: number;
  /** Converts `count` little-endian numbers from byte 0 on. */
  decode(bytes: Buffer, count: number, to: Float32Array, at: number): void;
  /** The number at a byte offset, without rounding. */
  exact(bytes: Buffer, offset: number): number | bigint;
}

type Read = (bytes: Buffer, offset: number) => number | bigint;

function element(name: string, bytes: number, read: Read): ElementType {
  return {
    name,
    bytes,
    decode(from, count, to, at) {
      for (let i = 0; i < count; i++) to[at + i] = Number(read(from, i * bytes));
    },
    exact: read,
  };
}

const HALVES = new Float32Array(1 << 16).map((_, bits) => {
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  const magnitude = exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25);
  const value = exponent === 31 ? (fraction === 0 ? Number.POSITIVE_INFINITY : Number.NaN) : magnitude;
  return bits >> 15 === 0 ? value : -value;
});

/** The types by their codes in NumPy, without the byte order. */
export const ELEMENT_TYPES: ReadonlyMap<string, ElementType> = new Map([
  ['f2', element('float16', 2, (bytes, at) => HALVES[bytes.readUInt16LE(at)]!)],
  ['f4', element('float32', 4, (bytes, at) => bytes.readFloatLE(at))],
  ['f8', element('float64', 8, (bytes, at) => bytes.readDoubleLE(at))],
  ['i1', element('int8', 1, (bytes, at) => bytes.readInt8(at))],
  ['u1', element('uint8', 1, (bytes, at) => bytes[at]!)],
  ['i2', element('int16', 2, (bytes, at) => bytes.readInt16LE(at))],
  ['u2', element('uint16', 2, (bytes, at) => bytes.readUInt16LE(at))],
  ['i4', element('int32', 4, (bytes, at) => bytes.readInt32LE(at))],
  ['u4', element('uint32', 4, (bytes, at) => bytes.readUInt32LE(at))],
  ['i8', element('int64', 8, (bytes, at) => bytes.readBigInt64LE(at))],
  ['u8', element('uint64', 8, (bytes, at) => bytes.readBigUInt64LE(at))],
]);

/** Reverses the byte order of numbers in place. */
export function swapBytes(bytes: Buffer, elementBytes: number): void {
  if (elementBytes === 2) bytes.swap16();
  else if (elementBytes === 4) bytes.swap32();
  else if (elementBytes === 8) bytes.swap64();
}
