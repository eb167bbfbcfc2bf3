/**
 * Reads the body of a REST infer request. It is JSON alone, or JSON followed by the bytes of tensors in the order of
 * the inputs (Triton's binary tensor extension). The header Inference-Header-Content-Length gives the length of the
 * JSON.
 */

import { Decimal, type JsonObject, type JsonValue, parseJson } from '../json/parse.ts';
import { shownJson } from '../json/print.ts';
import { invalidArgument } from '../status/serving-error.ts';
import { shown } from '../status/shown.ts';
import { decodeTensor } from '../tensors/binary.ts';
import { checkDatatype, checkShape, type Datatype, type Element, type Tensor } from '../tensors/tensor.ts';
import { type InferRequest, inputsByName, type Parameters } from './infer.ts';

/** An infer request, with the settings that only REST has. */
export interface RestInferRequest extends InferRequest {
  id: string | undefined;
  /** Whether the values of an output are sent as bytes after the JSON. */
  isBinary: (output: string) => boolean;
}

/**
 * Read the body of a request.
 *
 * @param jsonLength value of Inference-Header-Content-Length; undefined if the body is only JSON
 * @throws {ServingError} INVALID_ARGUMENT
 */
export function readInferRequest(
  model: string,
  version: string,
  body: Uint8Array,
  jsonLength: string | undefined,
): RestInferRequest {
  const headerEnd = jsonLength === undefined ? body.byteLength : Number(jsonLength);
  if (!Number.isSafeInteger(headerEnd) || headerEnd < 0 || headerEnd > body.byteLength) {
    throw invalidArgument(
      `Inference-Header-Content-Length: expected an integer from 0 to ${body.byteLength}, got ${jsonLength}`,
    );
  }
  const json = parseJson(Buffer.from(body.buffer, body.byteOffset, headerEnd).toString('utf8'));
  const request = objectOf(json, 'request');
  const id = request.get('id');
  const parameters = readParameters(request.get('parameters'));
  const inputs: [string, Tensor][] = [];
  let at = headerEnd;
  for (const item of listOf(request.get('inputs'), 'inputs')) {
    const input = objectOf(item, 'input');
    const name = stringOf(input.get('name'), 'input name');
    const size = readParameters(input.get('parameters')).get('binary_data_size');
    if (size === undefined) inputs.push([name, readJsonTensor(name, input)]);
    else {
      if (typeof size !== 'number' || !Number.isInteger(size) || size < 0 || at + size > body.byteLength) {
        throw invalidArgument(
          `input '${name}': expected a binary_data_size of at most ${body.byteLength - at}, the bytes left, got ${size}`,
        );
      }
      const { datatype, shape } = readHead(name, input);
      inputs.push([name, decodeTensor(name, datatype, shape, body.subarray(at, at + size))]);
      at += size;
    }
  }
  if (at !== body.byteLength) {
    const [expected, got] = [at - headerEnd, body.byteLength - headerEnd];
    throw invalidArgument(`body: expected ${expected} bytes after the JSON, the inputs' binary_data_size, got ${got}`);
  }
  const wanted = request.get('outputs');
  const binary = new Map<string, boolean>();
  for (const item of wanted === undefined ? [] : listOf(wanted, 'outputs')) {
    const output = objectOf(item, 'output');
    const asked = readParameters(output.get('parameters')).get('binary_data');
    binary.set(stringOf(output.get('name'), 'output name'), (asked ?? parameters.get('binary_data_output')) === true);
  }
  return {
    model,
    version,
    id: id === undefined ? undefined : idOf(id),
    parameters,
    inputs: inputsByName(inputs),
    outputs: [...binary.keys()],
    isBinary: (name) => binary.get(name) ?? parameters.get('binary_data_output') === true,
  };
}

/** The text of an id, which the response repeats; some clients send a number. */
function idOf(id: JsonValue): string {
  const value = id instanceof Decimal ? id.value : id;
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'bigint') return String(value);
  throw invalidArgument(`id: expected text, got ${shownJson(value)}`);
}

function readHead(name: string, input: JsonObject): { datatype: Datatype; shape: number[] } {
  const datatype = checkDatatype(name, input.get('datatype'));
  const shape = listOf(input.get('shape'), `shape of input '${name}'`).map((size) => sizeOf(name, size));
  checkShape(
    name,
    shape,
    shape.reduce((product, size) => product * size, 1),
  );
  return { datatype, shape };
}

function sizeOf(name: string, size: JsonValue): number {
  const value = size instanceof Decimal ? size.value : size;
  if (typeof value === 'number' || typeof value === 'bigint') return Number(value);
  throw invalidArgument(`shape of input '${name}': expected whole numbers, got ${shownJson(value)}`);
}

function readJsonTensor(name: string, input: JsonObject): Tensor {
  const { datatype, shape } = readHead(name, input);
  const data: Element[] = [];
  const flatten = (value: JsonValue): void => {
    if (Array.isArray(value)) for (const item of value) flatten(item);
    else data.push(elementOf(name, datatype, value));
  };
  flatten(listOf(input.get('data'), `data of input '${name}'`));
  checkShape(name, shape, data.length);
  return { datatype, shape, data };
}

function elementOf(name: string, datatype: Datatype, value: JsonValue): Element {
  const number = value instanceof Decimal ? value.value : value;
  const fits =
    datatype === 'BYTES'
      ? typeof number === 'string'
      : datatype === 'BOOL'
        ? typeof number === 'boolean'
        : datatype.startsWith('FP')
          ? typeof number === 'number' || typeof number === 'bigint'
          : typeof number === 'bigint' || Number.isInteger(number);
  if (!fits)
    throw invalidArgument(`input '${name}': expected values of type ${datatype} in 'data', got ${shownJson(value)}`);
  return datatype.startsWith('FP') ? Number(number) : (number as Element);
}

/** Read parameters, which may be strings, numbers and booleans. */
function readParameters(value: JsonValue | undefined): Parameters {
  const parameters = new Map<string, string | number | boolean>();
  if (value === undefined) return parameters;
  for (const [name, item] of objectOf(value, 'parameters')) {
    if (typeof item === 'string' || typeof item === 'boolean' || typeof item === 'number') parameters.set(name, item);
    else if (item instanceof Decimal) parameters.set(name, item.value);
    else throw invalidArgument(`parameter '${name}': expected text, a number or a boolean, got ${shown(item)}`);
  }
  return parameters;
}

function objectOf(value: JsonValue | undefined, what: string): JsonObject {
  if (value instanceof Map) return value;
  throw invalidArgument(`${what}: expected an object, got ${shownJson(value)}`);
}

function listOf(value: JsonValue | undefined, what: string): JsonValue[] {
  if (Array.isArray(value)) return value;
  throw invalidArgument(`${what}: expected a list, got ${shownJson(value)}`);
}

function stringOf(value: JsonValue | undefined, what: string): string {
  if (typeof value === 'string' && value !== '') return value;
  throw invalidArgument(`${what}: expected a name, got ${shownJson(value)}`);
}
