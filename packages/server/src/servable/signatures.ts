/**
 * Signatures: the named functions of a servable, whose inputs and outputs are tensors. They are derived from the loaded
 * bundle, so a bundle does not store them.
 *
 * | signature | inputs | outputs |
 * |---|---|---|
 * | serving_default | the query's features | identifiers, scores |
 * | query_with_exclusions | the query's features, exclusions | identifiers, scores |
 * | query_with_rules | the query's features, rules | identifiers, scores |
 * | query_by_history | history | identifiers, scores, unknown_items |
 * | embed | the query's features | embedding |
 * | embed_candidate | a candidate's features | embedding |
 * | search | embedding | identifiers, scores |
 * | similar | identifiers of candidates | identifiers, scores of candidates similar to them, without these |
 * | similar_to_embedding | embedding of a candidate's kind | identifiers, scores |
 *
 * Without a query tower, the signatures that take the query's features take `embedding` instead, and `embed` does not
 * exist. A request may ask the signatures that search for attributes as additional outputs (attribute-outputs.ts).
 *
 * Tensors are rectangular: if the queries of one request find different numbers of candidates, the shorter rows are
 * padded with the empty identifier (−1 for integers) and the score −Infinity.
 */
import type { Identifier } from 'shortlist';
import { invalidArgument } from '../status/serving-error.ts';
import { type Element, type Tensor, type TensorSpec, type Tensors, textOf } from '../tensors/tensor.ts';
import { attributeTensor } from './attribute-outputs.ts';
import type { Features, FeatureValue, Query, QueryResult, RequestField, Servable } from './contract.ts';
import { HISTORY_SIGNATURE, historyInput, historyQueries, paddingOf, unknownItemsOutput } from './history-signature.ts';
import { parseQueryRules } from './query-rules.ts';

/** The signature for a request that names none. */
export const DEFAULT_SIGNATURE = 'serving_default';

/** The signature that computes the vector of a candidate from its raw features. */
export const EMBED_CANDIDATE = 'embed_candidate';
/** The signatures that find candidates similar to given candidates, and to a vector. */
const SIMILAR = 'similar';
const SIMILAR_TO_EMBEDDING = 'similar_to_embedding';

/** The method name of a predicting function in TF's metadata. */
export const PREDICT_METHOD = 'tensorflow/serving/predict';

/** One function of a servable. */
export interface Signature {
  name: string;
  inputs: readonly TensorSpec[];
  outputs: readonly TensorSpec[];
}

/** The input with the rules of each query as JSON text, '' for none: `{"perValue": {"genre": 3}, "pin": ["a"]}`. */
const RULES: TensorSpec = { name: 'rules', datatype: 'BYTES', shape: [-1] };

/** The signatures of a servable by name. */
export function signaturesOf(servable: Servable): ReadonlyMap<string, Signature> {
  const embedding: TensorSpec = { name: 'embedding', datatype: 'FP32', shape: [-1, servable.dimensions] };
  const query = servable.features.length === 0 ? [embedding] : servable.features.map(batched);
  const exclusions: TensorSpec = { name: 'exclusions', datatype: servable.identifierDatatype, shape: [-1, -1] };
  const found: TensorSpec[] = [
    { name: 'identifiers', datatype: servable.identifierDatatype, shape: [-1, -1] },
    { name: 'scores', datatype: 'FP32', shape: [-1, -1] },
  ];
  const all: Signature[] = [
    { name: DEFAULT_SIGNATURE, inputs: query, outputs: found },
    { name: 'query_with_exclusions', inputs: [...query, exclusions], outputs: found },
    { name: 'query_with_rules', inputs: [...query, RULES], outputs: found },
    { name: 'search', inputs: [embedding], outputs: found },
    {
      name: HISTORY_SIGNATURE,
      inputs: [historyInput(servable.identifierDatatype)],
      outputs: [...found, unknownItemsOutput(servable.identifierDatatype)],
    },
    { name: SIMILAR, inputs: [{ ...exclusions, name: 'identifiers' }], outputs: found },
    { name: SIMILAR_TO_EMBEDDING, inputs: [embedding], outputs: found },
  ];
  if (servable.features.length > 0) all.push({ name: 'embed', inputs: query, outputs: [embedding] });
  if (servable.candidateFeatures.length > 0) {
    all.push({ name: EMBED_CANDIDATE, inputs: servable.candidateFeatures.map(batched), outputs: [embedding] });
  }
  return new Map(all.map((signature) => [signature.name, signature]));
}

const batched = ({ name, datatype, shape, isOptional, isRaw }: RequestField): TensorSpec => ({
  name,
  datatype,
  shape: [-1, ...shape],
  ...(isOptional && { isOptional }),
  ...(isRaw && shape[0] === -1 && { isRagged: true }),
});

/**
 * The signature that a request names.
 *
 * @throws {ServingError} INVALID_ARGUMENT with TF Serving's message
 */
export function findSignature(signatures: ReadonlyMap<string, Signature>, name: string): Signature {
  const signature = signatures.get(name || DEFAULT_SIGNATURE);
  if (!signature) throw invalidArgument(`Serving signature name: "${name}" not found in signature def`);
  return signature;
}

/**
 * The number of rows of the inputs' batch. Checks that it is the same for all inputs and that their shapes are those of
 * the signature.
 */
export function batchSize(signature: Signature, inputs: Tensors): number {
  let rows: number | undefined;
  for (const { name, datatype, shape, isOptional } of signature.inputs) {
    const tensor = inputs.get(name);
    if (!tensor && isOptional) continue;
    if (!tensor) throw invalidArgument(`Missing named input: ${name}`);
    if (tensor.datatype !== datatype) {
      throw invalidArgument(`Expects input '${name}' to be ${datatype} but ${tensor.datatype} is provided`);
    }
    if (!fits(tensor.shape, shape)) {
      throw invalidArgument(`input '${name}': expected shape [${shape}], got [${tensor.shape}]`);
    }
    if (rows !== undefined && rows !== tensor.shape[0]) {
      throw invalidArgument(`input '${name}': expected a batch of ${rows}, got ${tensor.shape[0]}`);
    }
    rows = tensor.shape[0]!;
  }
  if (rows === undefined) throw invalidArgument('inputs: expected at least one, got none');
  return rows;
}

/**
 * A batch of single values may also have the shape [B, 1], because many clients always send that. Lists of one value
 * per query may have the shape [B].
 */
function fits(shape: readonly number[], spec: readonly number[]): boolean {
  if (spec.length === 1 && shape.length === 2) return shape[1] === 1;
  if (spec.length === 2 && shape.length === 1) return spec[1]! < 0;
  return shape.length === spec.length && spec.every((size, i) => size < 0 || size === shape[i]);
}

/** The raw features of each query, or of each candidate, of a batch. */
export function featuresOf(specs: readonly RequestField[], inputs: Tensors, rows: number): Features[] {
  const [only] = specs;
  const queries: Features[] = [];
  for (let row = 0; row < rows; row++) {
    // A spec of features reads its fields by name, even a single one.
    if (specs.length === 1 && !only!.isRaw) queries.push(featureAt(inputs.get(only!.name), only!, row) as Features);
    else
      queries.push(Object.fromEntries(specs.map((spec) => [spec.name, featureAt(inputs.get(spec.name), spec, row)])));
  }
  return queries;
}

/** The value of a row; null where an optional one is missing. */
function featureAt(tensor: Tensor | undefined, spec: RequestField, row: number): FeatureValue {
  if (tensor === undefined) return null;
  const { datatype, shape, data, lengths } = tensor;
  const read = (at: number): Element => (datatype === 'BYTES' ? textOf(data[at]!) : data[at]!);
  if (lengths?.[row] === 0 && spec.shape[0] !== -1) return null;
  if (spec.shape.length === 0) return read(row);
  const width = shape[1] ?? 1;
  return Array.from({ length: lengths?.[row] ?? width }, (_, i) => read(row * width + i));
}

/** The queries in the inputs of a signature that searches. */
export function queriesOf(
  servable: Servable,
  signature: Signature,
  inputs: Tensors,
  { k, kMax }: { k: number; kMax: number },
): Query[] {
  const rows = batchSize(signature, inputs);
  if (signature.name === HISTORY_SIGNATURE) {
    return historyQueries(servable.identifierDatatype, inputs.get('history')!, k);
  }
  const embeddings = inputs.get('embedding');
  const exclusions = signature.name === 'query_with_exclusions' ? inputs.get('exclusions') : undefined;
  const rules = signature.name === 'query_with_rules' ? inputs.get('rules') : undefined;
  const items = signature.name === SIMILAR ? inputs.get('identifiers') : undefined;
  const features = embeddings || items ? undefined : featuresOf(servable.features, inputs, rows);
  const encoded = features && servable.encodeFeatures(features);
  const queries: Query[] = [];
  for (let row = 0; row < rows; row++) {
    const query: Query = { k };
    if (features) {
      query.features = features[row]!;
      query.encoded = encoded && { features: encoded, row };
    }
    if (items) query.similarTo = itemsAt(items, row);
    else if (signature.name === SIMILAR_TO_EMBEDDING) query.similarTo = floatRow(embeddings!, row);
    else if (!features) query.embedding = floatRow(embeddings!, row);
    if (exclusions) query.exclude = identifiersAt(exclusions, row);
    if (rules) query.rules = parseQueryRules(servable, textOf(rules.data[row]!), { k, kMax });
    queries.push(query);
  }
  return queries;
}

function floatRow({ shape, data }: Tensor, row: number): Float32Array {
  const width = shape[1]!;
  const floats = new Float32Array(width);
  for (let i = 0; i < width; i++) floats[i] = data[row * width + i] as number;
  return floats;
}

/** The lists of identifiers in a tensor, without the empty identifiers that pad the shorter lists. */
function itemsAt(tensor: Tensor, row: number): Identifier[] {
  const items = identifiersAt(tensor, row);
  while (items.length > 1 && isPadding(items.at(-1)!)) items.pop();
  if (items.length === 0) throw invalidArgument(`input 'identifiers': expected at least one in row ${row}, got none`);
  return items;
}

function isPadding(identifier: Identifier): boolean {
  return identifier === '' || identifier === -1 || identifier === -1n;
}

function identifiersAt({ datatype, shape, data }: Tensor, row: number): Identifier[] {
  const width = shape[1] ?? 1;
  const identifiers: Identifier[] = [];
  for (let i = row * width; i < (row + 1) * width; i++) {
    identifiers.push(datatype === 'BYTES' ? textOf(data[i]!) : (data[i] as number | bigint));
  }
  return identifiers;
}

/** Convert results to the tensors `identifiers` and `scores`, and those of the named attributes. */
export function resultsToTensors(
  servable: Servable,
  results: readonly QueryResult[],
  attributes: readonly string[] = [],
): Map<string, Tensor> {
  const width = results.reduce((most, { scores }) => Math.max(most, scores.length), 0);
  const padding = paddingOf(servable.identifierDatatype);
  const identifiers: Identifier[] = [];
  const scores = new Float32Array(results.length * width).fill(Number.NEGATIVE_INFINITY);
  results.forEach((result, row) => {
    scores.set(result.scores, row * width);
    for (let i = 0; i < width; i++) identifiers.push(result.identifiers[i] ?? padding);
  });
  const shape = [results.length, width];
  return new Map<string, Tensor>([
    ['identifiers', { datatype: servable.identifierDatatype, shape, data: identifiers }],
    ['scores', { datatype: 'FP32', shape, data: scores }],
    ...attributes.map((name): [string, Tensor] => [name, attributeTensor(servable.attributes, name, results, width)]),
  ]);
}
