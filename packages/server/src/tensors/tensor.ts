/**
 * A tensor of either protocol: a datatype, a shape and row-major values. Datatypes have the names of the Open Inference
 * Protocol; tensorflow/datatypes.ts maps them to those of TF Serving.
 */
import { invalidArgument } from '../status/serving-error.ts';
import { shown } from '../status/shown.ts';

/** Datatype → bytes per element in messages; 0 for strings, each of which is sent with its length. */
export const ELEMENT_BYTES = {
  BOOL: 1,
  UINT8: 1,
  UINT16: 2,
  UINT32: 4,
  UINT64: 8,
  INT8: 1,
  INT16: 2,
  INT32: 4,
  INT64: 8,
  FP16: 2,
  FP32: 4,
  FP64: 8,
  BYTES: 0,
} as const;

/** The name of a datatype. */
export type Datatype = keyof typeof ELEMENT_BYTES;

/** One element: strings may be text or raw bytes, 64-bit integers are exact. */
export type Element = string | Uint8Array | number | bigint | boolean;

/** A dense tensor; `data` has one entry per element, in row-major order. */
export interface Tensor {
  datatype: Datatype;
  shape: readonly number[];
  data: ArrayLike<Element>;
  /**
   * The number of elements of each row without its padding; 0 for a single value that is missing. Undefined where no
   * row is padded.
   */
  lengths?: readonly number[] | undefined;
}

/** Tensors by name. */
export type Tensors = ReadonlyMap<string, Tensor>;

/**
 * The name, datatype and shape of a tensor of a signature. −1 is a dimension of any size; the first dimension is the
 * batch.
 */
export interface TensorSpec {
  name: string;
  datatype: Datatype;
  shape: readonly number[];
  /** Whether a request may leave out the tensor or, in JSON, the values of some rows; default false. */
  isOptional?: boolean | undefined;
  /** Whether the rows may have different lengths in JSON; the shorter ones are padded. Default false. */
  isRagged?: boolean | undefined;
}

/** The number of elements of a shape. */
export function elementCount(shape: readonly number[]): number {
  let count = 1;
  for (const size of shape) count *= size;
  return count;
}

/** Whether a word names a datatype. */
export function isDatatype(word: unknown): word is Datatype {
  return typeof word === 'string' && Object.hasOwn(ELEMENT_BYTES, word);
}

/** Check the datatype of an input that came from outside. @throws {ServingError} INVALID_ARGUMENT */
export function checkDatatype(name: string, word: unknown): Datatype {
  if (isDatatype(word)) return word;
  throw invalidArgument(
    `input '${name}': expected a datatype of ${Object.keys(ELEMENT_BYTES).join(', ')}, got ${shown(word)}`,
  );
}

/**
 * Check a tensor that came from outside: every dimension is a whole number ≥ 0, and the number of elements is that of
 * the shape.
 *
 * @throws {ServingError} INVALID_ARGUMENT otherwise
 */
export function checkShape(name: string, shape: readonly number[], elements: number): void {
  for (const size of shape) {
    if (!Number.isSafeInteger(size) || size < 0) {
      throw invalidArgument(`input '${name}': expected a shape of whole numbers, got [${shape}]`);
    }
  }
  const expected = elementCount(shape);
  if (expected !== elements) {
    throw invalidArgument(`input '${name}': expected ${expected} elements for shape [${shape}], got ${elements}`);
  }
}

const decoder = new TextDecoder();
const encoder = new TextEncoder();

/** A string element as text. */
export function textOf(element: Element): string {
  return element instanceof Uint8Array ? decoder.decode(element) : String(element);
}

/** A string element as bytes. */
export function bytesOf(element: Element): Uint8Array {
  return element instanceof Uint8Array ? element : encoder.encode(String(element));
}
