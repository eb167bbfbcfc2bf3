/**
 * Reads and writes tensors as bytes: little endian, row-major, without padding; an element of BYTES is its length as
 * u32 and its bytes.
 *
 * This is the layout of Triton's binary tensor extension over REST, of `raw_input_contents` in the Open Inference
 * Protocol's gRPC, and (but for strings) of TF's `tensor_content`.
 */
import { invalidArgument } from '../status/serving-error.ts';
import { halfToNumber, numberToHalf } from './half.ts';
import { bytesOf, type Datatype, ELEMENT_BYTES, type Element, elementCount, type Tensor } from './tensor.ts';

type Fixed = Exclude<Datatype, 'BYTES'>;

const READ: { [D in Fixed]: (view: DataView, at: number) => Element } = {
  BOOL: (view, at) => view.getUint8(at) !== 0,
  UINT8: (view, at) => view.getUint8(at),
  UINT16: (view, at) => view.getUint16(at, true),
  UINT32: (view, at) => view.getUint32(at, true),
  UINT64: (view, at) => view.getBigUint64(at, true),
  INT8: (view, at) => view.getInt8(at),
  INT16: (view, at) => view.getInt16(at, true),
  INT32: (view, at) => view.getInt32(at, true),
  INT64: (view, at) => view.getBigInt64(at, true),
  FP16: (view, at) => halfToNumber(view.getUint16(at, true)),
  FP32: (view, at) => view.getFloat32(at, true),
  FP64: (view, at) => view.getFloat64(at, true),
};

const WRITE: { [D in Fixed]: (view: DataView, at: number, element: Element) => void } = {
  BOOL: (view, at, element) => view.setUint8(at, element ? 1 : 0),
  UINT8: (view, at, element) => view.setUint8(at, Number(element)),
  UINT16: (view, at, element) => view.setUint16(at, Number(element), true),
  UINT32: (view, at, element) => view.setUint32(at, Number(element), true),
  UINT64: (view, at, element) => view.setBigUint64(at, BigInt(element as number), true),
  INT8: (view, at, element) => view.setInt8(at, Number(element)),
  INT16: (view, at, element) => view.setInt16(at, Number(element), true),
  INT32: (view, at, element) => view.setInt32(at, Number(element), true),
  INT64: (view, at, element) => view.setBigInt64(at, BigInt(element as number), true),
  FP16: (view, at, element) => view.setUint16(at, numberToHalf(Number(element)), true),
  FP32: (view, at, element) => view.setFloat32(at, Number(element), true),
  FP64: (view, at, element) => view.setFloat64(at, Number(element), true),
};

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/**
 * Read a tensor from its bytes.
 *
 * @throws {ServingError} INVALID_ARGUMENT when the bytes are not exactly the tensor's
 */
export function decodeTensor(name: string, datatype: Datatype, shape: readonly number[], bytes: Uint8Array): Tensor {
  const count = elementCount(shape);
  const view = viewOf(bytes);
  if (datatype === 'BYTES') return { datatype, shape, data: decodeStrings(name, count, view, bytes) };
  const width = ELEMENT_BYTES[datatype];
  if (bytes.byteLength !== count * width) {
    throw invalidArgument(
      `input '${name}': expected ${count * width} bytes for ${datatype} of shape [${shape}], got ${bytes.byteLength}`,
    );
  }
  if (datatype === 'FP32') {
    const floats = new Float32Array(count);
    for (let i = 0; i < count; i++) floats[i] = view.getFloat32(i * 4, true);
    return { datatype, shape, data: floats };
  }
  const read = READ[datatype];
  const data: Element[] = [];
  for (let i = 0; i < count; i++) data.push(read(view, i * width));
  return { datatype, shape, data };
}

function decodeStrings(name: string, count: number, view: DataView, bytes: Uint8Array): Uint8Array[] {
  const data: Uint8Array[] = [];
  let at = 0;
  while (at < bytes.byteLength) {
    const end = at + 4 <= bytes.byteLength ? at + 4 + view.getUint32(at, true) : Number.POSITIVE_INFINITY;
    if (end > bytes.byteLength) {
      throw invalidArgument(`input '${name}': expected a whole BYTES element at byte ${at}, got the start of one`);
    }
    data.push(bytes.subarray(at + 4, end));
    at = end;
  }
  if (data.length !== count) {
    throw invalidArgument(`input '${name}': expected ${count} string elements, got ${data.length}`);
  }
  return data;
}

/** Write a tensor's bytes. */
export function encodeTensor({ datatype, shape, data }: Tensor): Uint8Array {
  const count = elementCount(shape);
  if (datatype === 'BYTES') return encodeStrings(data, count);
  const width = ELEMENT_BYTES[datatype];
  const bytes = new Uint8Array(count * width);
  const view = viewOf(bytes);
  const write = WRITE[datatype];
  for (let i = 0; i < count; i++) write(view, i * width, data[i]!);
  return bytes;
}

function encodeStrings(data: ArrayLike<Element>, count: number): Uint8Array {
  const parts: Uint8Array[] = [];
  let size = 0;
  for (let i = 0; i < count; i++) {
    const part = bytesOf(data[i]!);
    parts.push(part);
    size += 4 + part.byteLength;
  }
  const bytes = new Uint8Array(size);
  const view = viewOf(bytes);
  let at = 0;
  for (const part of parts) {
    view.setUint32(at, part.byteLength, true);
    bytes.set(part, at + 4);
    at += 4 + part.byteLength;
  }
  return bytes;
}
