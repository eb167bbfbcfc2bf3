/**
 * Reads the JSON of a predict request into tensors, in row form (`instances`) or column form (`inputs`). Rules and
 * messages are those of TF Serving's `FillPredictRequestFromJson`.
 */
import { type JsonObject, type JsonValue, parseJson } from '../json/parse.ts';
import { printJson } from '../json/print.ts';
import type { Signature } from '../servable/signatures.ts';
import { invalidArgument, ServingError } from '../status/serving-error.ts';
import type { Datatype, Element, Tensor, TensorSpec } from '../tensors/tensor.ts';
import { elementOf, isBase64Object } from './json-value.ts';
import { readOutputFilter } from './output-filter.ts';
import { isPadded, PaddedTensor } from './padded-tensor.ts';

/** The contents of a predict request. */
export interface PredictRequest {
  signature: Signature;
  form: 'row' | 'column';
  inputs: Map<string, Tensor>;
  /** Names of the wanted outputs; empty for all outputs of the signature. */
  outputs: readonly string[];
}

/**
 * Read the body of a predict request.
 *
 * @param find returns the signature of a name; '' for the default
 * @throws {ServingError} INVALID_ARGUMENT
 */
export function readPredictRequest(body: string, find: (name: string) => Signature): PredictRequest {
  // TF Serving has its own message for an empty body.
  if (body.length === 0) throw invalidArgument('JSON Parse error: The document is empty');
  const document = parseJson(body);
  if (!(document instanceof Map)) throw formatError(document, 'Is not object');
  const name = document.get('signature_name') ?? '';
  if (typeof name !== 'string') {
    throw formatError(document, "not formatted correctly. 'signature_name' key must be a string value.");
  }
  const signature = find(name);
  const outputs = readOutputFilter(document.get('output_filter'));
  const instances = document.get('instances');
  const inputs = document.get('inputs');
  if (instances !== undefined && inputs !== undefined) {
    throw formatError(document, "Not formatted correctly expecting only one of 'inputs' or 'instances' keys to exist ");
  }
  if (instances !== undefined) {
    if (!Array.isArray(instances)) throw formatError(document, "Excepting 'instances' to be an list/array");
    if (instances.length === 0) throw formatError(document, "No values in 'instances' array");
    return { signature, form: 'row', inputs: readRows(instances, signature.inputs), outputs };
  }
  if (inputs === undefined) throw invalidArgument("Missing 'inputs' or 'instances' key");
  return { signature, form: 'column', inputs: readColumns(inputs, signature.inputs), outputs };
}

const formatError = (value: JsonValue, problem: string): ServingError =>
  invalidArgument(`JSON Value: ${printJson(value)} ${problem}`);

const isObject = (value: JsonValue): value is JsonObject => value instanceof Map && !isBase64Object(value);

/** The elements of one tensor that were read so far. */
interface Gathering {
  spec: TensorSpec;
  shape: number[] | undefined;
  data: Element[];
}

function readRows(instances: readonly JsonValue[], specs: readonly TensorSpec[]): Map<string, Tensor> {
  const objects = isObject(instances[0]!);
  if (!objects && specs.length > 1) {
    throw invalidArgument(
      'instances is a plain list, but expecting list of objects as multiple input tensors required as per tensorinfo_map',
    );
  }
  const gathered = new Map<string, Gathering>(
    specs.filter((spec) => !isPadded(spec)).map((spec) => [spec.name, { spec, shape: undefined, data: [] }]),
  );
  const padded = new Map(specs.filter(isPadded).map((spec) => [spec.name, new PaddedTensor(spec, instances.length)]));
  instances.forEach((instance, i) => {
    if (objects) readObject(instance, i, gathered, padded);
    else if (isObject(instance)) {
      throw invalidArgument(`Expecting value/list but got object at item ${i} of input list`);
    } else {
      within(`Failed to process element: ${i} of 'instances' list.`, () =>
        addValue(specs[0]!.name, instance, i, gathered, padded),
      );
    }
  });
  return new Map<string, Tensor>([
    ...[...gathered].map(([name, { spec, shape, data }]): [string, Tensor] => [
      name,
      { datatype: spec.datatype, shape: [instances.length, ...shape!], data },
    ]),
    ...[...padded].map(([name, tensor]): [string, Tensor] => [name, tensor.finish()]),
  ]);
}

/** Add the value that an instance has of a named input; false where there is no such input. */
function addValue(
  name: string,
  value: JsonValue,
  row: number,
  gathered: ReadonlyMap<string, Gathering>,
  padded: ReadonlyMap<string, PaddedTensor>,
): boolean {
  const gathering = gathered.get(name);
  if (gathering) gather(value, gathering);
  else if (padded.has(name)) padded.get(name)!.set(row, value);
  else return false;
  return true;
}

function readObject(
  instance: JsonValue,
  i: number,
  gathered: ReadonlyMap<string, Gathering>,
  padded: ReadonlyMap<string, PaddedTensor>,
): void {
  if (!isObject(instance)) throw invalidArgument(`Expecting object but got list at item ${i} of input list`);
  for (const [name, value] of instance) {
    within(`Failed to process element: ${i} key: ${name} of 'instances' list.`, () => {
      if (!addValue(name, value, i, gathered, padded)) {
        throw invalidArgument(`JSON object: does not have named input: ${name}`);
      }
    });
  }
  const needed = [...gathered.keys(), ...[...padded].flatMap(([name, { spec }]) => (spec.isOptional ? [] : [name]))];
  if (!needed.every((name) => instance.has(name))) {
    throw invalidArgument(
      `Failed to process element: ${i} of 'instances' list. JSON object: ${printJson(instance)} ` +
        `must only have keys: ${[...gathered.keys(), ...padded.keys()].sort().join(',')}`,
    );
  }
}

/** Add the position in the list to an error message, and the status's name, as TF Serving prints it. */
function within(place: string, read: () => void): void {
  try {
    read();
  } catch (error) {
    if (!(error instanceof ServingError)) throw error;
    throw new ServingError('INVALID_ARGUMENT', `${place} Error: ${error.code}: ${error.message}`);
  }
}

/** Append the value of one instance. All instances of a tensor must have the same shape. */
function gather(value: JsonValue, gathering: Gathering): void {
  const shape = shapeOf(value);
  const before = gathering.data.length;
  fill(value, 0, shape, gathering.spec.datatype, gathering.data);
  const known = gathering.shape;
  gathering.shape ??= shape;
  if (!known) return;
  const size = known.reduce((product, dimension) => product * dimension, 1);
  const got = gathering.data.length - before;
  if (got !== size) throw invalidArgument(`Expecting tensor size: ${size} but got: ${got}`);
  if (known.length !== shape.length || known.some((dimension, d) => dimension !== shape[d])) {
    throw invalidArgument(`Expecting shape [${known}] but got: [${shape}]`);
  }
}

function readColumns(inputs: JsonValue, specs: readonly TensorSpec[]): Map<string, Tensor> {
  if (!isObject(inputs)) {
    if (specs.length > 1) {
      throw invalidArgument(
        'inputs is a plain value/list, but expecting an object as multiple input tensors required as per tensorinfo_map',
      );
    }
    return new Map([[specs[0]!.name, readColumn(inputs, specs[0]!)]]);
  }
  return new Map(
    specs.flatMap((spec): [string, Tensor][] => {
      const value = inputs.get(spec.name);
      if (value === undefined && spec.isOptional) return [];
      if (value === undefined) throw invalidArgument(`Missing named input: ${spec.name} in 'inputs' object.`);
      return [[spec.name, readColumn(value, spec)]];
    }),
  );
}

function readColumn(value: JsonValue, spec: TensorSpec): Tensor {
  const { datatype } = spec;
  if (isPadded(spec) && Array.isArray(value)) {
    const padded = new PaddedTensor(spec, value.length);
    value.forEach((item, row) => {
      padded.set(row, item);
    });
    return padded.finish();
  }
  const shape = shapeOf(value);
  const data: Element[] = [];
  fill(value, 0, shape, datatype, data);
  return { datatype, shape, data };
}

/** The shape of nested lists, taken from the first element of each level. */
function shapeOf(value: JsonValue): number[] {
  const shape: number[] = [];
  for (let level: JsonValue | undefined = value; Array.isArray(level); level = level[0]) shape.push(level.length);
  return shape;
}

function fill(value: JsonValue, level: number, shape: readonly number[], datatype: Datatype, data: Element[]): void {
  const rank = shape.length;
  if (!Array.isArray(value)) {
    if (level !== rank) {
      throw invalidArgument(
        `JSON Value: ${printJson(value)} found at incorrect level: ${level + 1} in the JSON DOM. Expected at level: ${rank}`,
      );
    }
    data.push(elementOf(value, datatype));
    return;
  }
  if (level >= rank) throw invalidArgument(`Encountered list at unexpected level: ${level} expected < ${rank}`);
  if (value.length !== shape[level]) {
    throw invalidArgument(
      `Encountered list at unexpected size: ${value.length} at level: ${level} expected size: ${shape[level]}`,
    );
  }
  for (const item of value) fill(item, level + 1, shape, datatype, data);
}
