/**
 * Reads and writes safetensors files: the length of a header, the header as JSON, then the numbers of all tensors.
 *
 * Source: github.com/huggingface/safetensors, "Format": u64 N little-endian; N bytes of JSON {name: {dtype, shape,
 * data_offsets: [begin, end]}}, `__metadata__` a map of texts; the numbers in C order, little-endian, without gaps or overlaps.
 * Floats of 16 and 64 bits and integers are converted to float32. Files are untrusted: everything is checked before it is read.
 */
import { DataError } from 'shortlist';
import type { Tensor } from 'shortlist/training';
import { ELEMENT_TYPES, type ElementType } from '../vectors/elements.ts';
import { bytesAt, withFile } from '../vectors/positional-file.ts';

/** The longest header, that of the original library. */
const HEADER_BYTES_MAX = 100_000_000;
/** The header is padded with spaces to a multiple of this, so that the numbers are aligned. */
const ALIGNMENT_BYTES = 8;

/** bfloat16: the upper half of a float32. */
const BFLOAT16: ElementType = {
  name: 'bfloat16',
  bytes: 2,
  decode(from, count, to, at) {
    const bits = new Uint32Array(1);
    const float = new Float32Array(bits.buffer);
    for (let i = 0; i < count; i++) {
      bits[0] = from.readUInt16LE(2 * i) << 16;
      to[at + i] = float[0]!;
    }
  },
  exact: (bytes, offset) => {
    const one = new Float32Array(1);
    BFLOAT16.decode(bytes.subarray(offset), 1, one, 0);
    return one[0]!;
  },
};

/** The types by their names in the format. */
const TYPES: ReadonlyMap<string, ElementType> = new Map([
  ['BF16', BFLOAT16],
  ...[...ELEMENT_TYPES].map(([code, type]): [string, ElementType] => [
    `${code[0]!.toUpperCase()}${8 * Number(code.slice(1))}`,
    type,
  ]),
]);

/** A tensor of the header. */
interface Entry {
  readonly name: string;
  readonly type: ElementType;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

/**
 * All tensors of a file, as float32.
 *
 * @throws {FileError} when the file cannot be read
 * @throws {DataError} when it is no safetensors file, or is damaged
 */
export async function readSafetensors(path: string): Promise<Tensor[]> {
  return withFile(path, async (file, sizeBytes) => {
    const length = sizeBytes < 8 ? 0n : (await bytesAt(path, file, 0, 8)).readBigUInt64LE(0);
    if (length < 2n || length > BigInt(Math.min(HEADER_BYTES_MAX, sizeBytes - 8))) {
      throw new DataError(`${path}: expected a safetensors file, got ${sizeBytes} bytes with a header of ${length}`);
    }
    const dataAt = 8 + Number(length);
    const entries = parseHeader(path, (await bytesAt(path, file, 8, Number(length))).toString('utf8'));
    checkOffsets(path, entries, sizeBytes - dataAt);
    const tensors: Tensor[] = [];
    for (const { name, type, shape, begin, end } of entries) {
      const data = new Float32Array((end - begin) / type.bytes);
      type.decode(await bytesAt(path, file, dataAt + begin, end - begin), data.length, data, 0);
      tensors.push({ name, shape, data });
    }
    return tensors;
  });
}

function parseHeader(path: string, text: string): Entry[] {
  let header: unknown;
  try {
    header = JSON.parse(text);
  } catch {
    throw new DataError(`${path}: expected JSON as the header, got other text`);
  }
  if (typeof header !== 'object' || header === null || Array.isArray(header)) {
    throw new DataError(`${path}: expected a map of tensors as the header, got something else`);
  }
  const entries = Object.entries(header as Record<string, unknown>).filter(([name]) => name !== '__metadata__');
  return entries.map(([name, value]) => entryOf(path, name, value));
}

function entryOf(path: string, name: string, value: unknown): Entry {
  const { dtype, shape, data_offsets: offsets } = (value ?? {}) as Record<string, unknown>;
  const place = `${path}: tensor ${JSON.stringify(name)}`;
  const type = typeof dtype === 'string' ? TYPES.get(dtype) : undefined;
  if (!type) {
    throw new DataError(`${place}: expected a dtype of ${[...TYPES.keys()].join(', ')}, got ${JSON.stringify(dtype)}`);
  }
  if (!isSizes(shape)) throw new DataError(`${place}: expected a shape, got ${JSON.stringify(shape)}`);
  if (!isSizes(offsets) || offsets.length !== 2 || offsets[0]! > offsets[1]!) {
    throw new DataError(`${place}: expected data_offsets [begin, end], got ${JSON.stringify(offsets)}`);
  }
  const [begin, end] = offsets as [number, number];
  const wanted = shape.reduce((product, size) => product * size, type.bytes);
  if (wanted !== end - begin) throw new DataError(`${place}: expected ${wanted} bytes, got ${end - begin}`);
  return { name, type, shape, begin, end };
}

function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && size >= 0);
}

/** Refuse tensors that overlap, leave gaps, or do not end with the file. */
function checkOffsets(path: string, entries: readonly Entry[], dataBytes: number): void {
  let at = 0;
  for (const { name, begin, end } of [...entries].sort((a, b) => a.begin - b.begin || a.end - b.end)) {
    if (begin !== at)
      throw new DataError(`${path}: tensor ${JSON.stringify(name)}: expected it at byte ${at}, got ${begin}`);
    at = end;
  }
  if (at !== dataBytes) throw new DataError(`${path}: expected ${at} bytes of numbers, got ${dataBytes}`);
}

/**
 * The bytes of a safetensors file with these tensors, as float32, in this order.
 *
 * @throws {DataError} when two tensors have one name, or the numbers of one do not fit its shape
 */
export function safetensorsBytes(
  tensors: readonly Tensor[],
  metadata: Readonly<Record<string, string>> = {},
): Buffer[] {
  const entries: [string, unknown][] = Object.keys(metadata).length > 0 ? [['__metadata__', metadata]] : [];
  const names = new Set<string>(['__metadata__']);
  let at = 0;
  for (const { name, shape, data } of tensors) {
    if (names.has(name)) throw new DataError(`tensors: expected names of their own, got ${JSON.stringify(name)} twice`);
    names.add(name);
    if (shape.reduce((product, size) => product * size, 1) !== data.length) {
      throw new DataError(`${name}: expected the numbers of shape [${shape.join(', ')}], got ${data.length}`);
    }
    entries.push([name, { dtype: 'F32', shape, data_offsets: [at, at + 4 * data.length] }]);
    at += 4 * data.length;
  }
  const text = Buffer.from(JSON.stringify(Object.fromEntries(entries)));
  const header = Buffer.alloc(8 + Math.ceil(text.length / ALIGNMENT_BYTES) * ALIGNMENT_BYTES, ' ');
  header.writeBigUInt64LE(BigInt(header.length - 8));
  text.copy(header, 8);
  return [header, ...tensors.map(({ data }) => Buffer.from(data.buffer, data.byteOffset, data.byteLength))];
}
