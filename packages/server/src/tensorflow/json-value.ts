/**
 * Converts a JSON value to an element of a tensor, with TF Serving's type rules and messages (`AddValueToTensor`): no
 * value is converted with loss, 1.0 is not an integer, and {"b64": …} is a string of bytes.
 */

import { FLOAT32_MAX } from 'shortlist/options';
import { Decimal, type JsonValue } from '../json/parse.ts';
import { jsonTypeName, printJson } from '../json/print.ts';
import { invalidArgument, ServingError } from '../status/serving-error.ts';
import type { Datatype, Element } from '../tensors/tensor.ts';
import { TF_DATATYPES } from './datatypes.ts';

const INTEGER_RANGES: { readonly [D in Datatype]?: readonly [bigint, bigint] } = {
  // TF Serving reads small integers as a C int and stores them in int_val, so they are not checked against their
  // narrower ranges.
  INT8: [-(2n ** 31n), 2n ** 31n - 1n],
  INT16: [-(2n ** 31n), 2n ** 31n - 1n],
  INT32: [-(2n ** 31n), 2n ** 31n - 1n],
  UINT8: [-(2n ** 31n), 2n ** 31n - 1n],
  UINT32: [0n, 2n ** 32n - 1n],
  INT64: [-(2n ** 63n), 2n ** 63n - 1n],
  UINT64: [0n, 2n ** 64n - 1n],
};
/** Bounds within which a mantissa of 24 or 53 bits holds every whole number exactly. */
const WHOLE_MAX = { FP32: 2 ** 24 - 1, FP64: 2 ** 53 - 1 };

/** Whether a value is {"b64": "…"}, which stands for bytes instead of an object. */
export function isBase64Object(value: JsonValue): value is Map<string, string> {
  return value instanceof Map && value.size === 1 && typeof value.get('b64') === 'string';
}

/** The element of a tensor that a JSON value stands for. @throws {ServingError} INVALID_ARGUMENT */
export function elementOf(value: JsonValue, datatype: Datatype): Element {
  if (value instanceof Map) {
    if (datatype !== 'BYTES') throw typeError(value, datatype);
    return decodeBase64(value);
  }
  const range = INTEGER_RANGES[datatype];
  if (range) return integerOf(value, datatype, range);
  switch (datatype) {
    case 'BYTES':
      if (typeof value !== 'string') throw typeError(value, datatype);
      return value;
    case 'BOOL':
      if (typeof value !== 'boolean') throw typeError(value, datatype);
      return value;
    case 'FP32':
    case 'FP64':
      return floatOf(value, datatype);
    default:
      throw new ServingError(
        'UNIMPLEMENTED',
        `Conversion of JSON Value: ${printJson(value)} to type: ${TF_DATATYPES[datatype].word}`,
      );
  }
}

function typeError(value: JsonValue, datatype: Datatype): ServingError {
  return invalidArgument(
    `JSON Value: ${printJson(value)} Type: ${jsonTypeName(value)} is not of expected type: ${TF_DATATYPES[datatype].word}`,
  );
}

function integerOf(value: JsonValue, datatype: Datatype, [min, max]: readonly [bigint, bigint]): number | bigint {
  const whole = typeof value === 'bigint' || (typeof value === 'number' && Number.isInteger(value));
  if (!whole || value < min || value > max) throw typeError(value, datatype);
  return value;
}

function floatOf(value: JsonValue, datatype: 'FP32' | 'FP64'): number {
  const number = value instanceof Decimal ? value.value : value;
  if (typeof number !== 'number' && typeof number !== 'bigint') throw typeError(value, datatype);
  const float = Number(number);
  if (!Number.isFinite(float)) return float;
  const isInteger = !(value instanceof Decimal) && Number.isInteger(float);
  const lossless = isInteger
    ? Math.abs(float) <= WHOLE_MAX[datatype]
    : datatype === 'FP64' || Math.abs(float) <= FLOAT32_MAX;
  if (!lossless) {
    const { word } = TF_DATATYPES[datatype];
    throw invalidArgument(`Cannot convert JSON value: ${printJson(value)} to ${word} without loss of precision.`);
  }
  return datatype === 'FP32' ? Math.fround(float) : float;
}

function decodeBase64(value: Map<string, JsonValue>): Uint8Array {
  if (!isBase64Object(value)) {
    throw invalidArgument(`JSON Value: ${printJson(value)} not formatted correctly for base64 data`);
  }
  const text = value.get('b64')!;
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(text) || text.replace(/=+$/, '').length % 4 === 1) {
    throw invalidArgument('Unable to base64 decode');
  }
  return Buffer.from(text, 'base64');
}
