/**
 * TF's TensorProto. The values are in `tensor_content` (little endian) or in the field of their type. If that field has
 * fewer values than the shape has elements, the last value repeats; if it has none, all elements are zero.
 */
import { integerText } from '../json/integer.ts';
import { invalidArgument } from '../status/serving-error.ts';
import { datatypeOfNumber, TF_DATATYPES } from '../tensorflow/datatypes.ts';
import { decodeTensor, encodeTensor } from '../tensors/binary.ts';
import { halfToNumber } from '../tensors/half.ts';
import { bytesOf, checkShape, type Datatype, type Element, elementCount, type Tensor } from '../tensors/tensor.ts';

/** The message in the form that proto-loader reads and writes. */
export interface TensorProto {
  dtype: number;
  tensor_shape: { dim: { size: string | number }[] } | null;
  tensor_content?: Uint8Array;
  float_val?: number[];
  double_val?: number[];
  int_val?: number[];
  string_val?: Uint8Array[];
  int64_val?: string[];
  bool_val?: boolean[];
  half_val?: number[];
  uint32_val?: number[];
  uint64_val?: string[];
}

/**
 * Most elements that a shape may state. It is checked before memory is allocated: a message of a few bytes could state
 * a shape of gigabytes.
 */
const ELEMENTS_MAX = 1 << 24;

/** Convert a message to a tensor. @throws {ServingError} INVALID_ARGUMENT */
export function tensorOf(name: string, proto: TensorProto): Tensor {
  const datatype = datatypeOfNumber(proto.dtype);
  if (!datatype) throw invalidArgument(`input '${name}': expected a dtype of this server, got ${proto.dtype}`);
  const shape = (proto.tensor_shape?.dim ?? []).map(({ size }) => Number(size));
  const count = elementCount(shape);
  checkShape(name, shape, count);
  if (count > ELEMENTS_MAX) {
    throw invalidArgument(`input '${name}': expected at most ${ELEMENTS_MAX} elements, got shape [${shape}]`);
  }
  const { tensor_content } = proto;
  if (tensor_content && tensor_content.byteLength > 0 && datatype !== 'BYTES') {
    return decodeTensor(name, datatype, shape, tensor_content);
  }
  const values = valuesOf(proto, datatype);
  if (values.length > count) {
    throw invalidArgument(
      `input '${name}': expected at most ${count} values for shape [${shape}], got ${values.length}`,
    );
  }
  const last = values.at(-1) ?? zeroOf(datatype);
  const data = Array.from({ length: count }, (_, i) => values[i] ?? last);
  return { datatype, shape, data };
}

const zeroOf = (datatype: Datatype): Element =>
  datatype === 'BYTES' ? '' : datatype === 'BOOL' ? false : datatype.endsWith('64') && datatype !== 'FP64' ? 0n : 0;

function valuesOf(proto: TensorProto, datatype: Datatype): Element[] {
  switch (datatype) {
    case 'FP32':
      return proto.float_val ?? [];
    case 'FP64':
      return proto.double_val ?? [];
    case 'FP16':
      return (proto.half_val ?? []).map(halfToNumber);
    case 'BYTES':
      return proto.string_val ?? [];
    case 'BOOL':
      return proto.bool_val ?? [];
    case 'INT64':
      return (proto.int64_val ?? []).map(BigInt);
    case 'UINT64':
      return (proto.uint64_val ?? []).map(BigInt);
    case 'UINT32':
      return proto.uint32_val ?? [];
    default:
      return proto.int_val ?? [];
  }
}

/** Convert a tensor to a message: strings go to `string_val`, all other types to `tensor_content`. */
export function tensorProtoOf(tensor: Tensor): TensorProto {
  const { datatype, shape, data } = tensor;
  const head = { dtype: TF_DATATYPES[datatype].number, tensor_shape: { dim: shape.map((size) => ({ size })) } };
  if (datatype === 'BYTES') return { ...head, string_val: Array.from(data, bytesOf) };
  // Many clients in other languages read only the typed field.
  if (datatype === 'FP32') return { ...head, float_val: Array.from(data, Number) };
  if (datatype === 'FP64') return { ...head, double_val: Array.from(data, Number) };
  if (datatype === 'BOOL') return { ...head, bool_val: Array.from(data, Boolean) };
  if (datatype === 'INT64')
    return { ...head, int64_val: Array.from(data, (element) => integerText(element as bigint)) };
  return { ...head, tensor_content: encodeTensor(tensor) };
}
