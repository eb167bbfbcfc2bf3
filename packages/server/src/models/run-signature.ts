/** Runs a signature of a version through the version's queue, with tensors as inputs and outputs. */

import type { RequestOptions } from '../queue/batcher.ts';
import type { Servable } from '../servable/contract.ts';
import { checkExcludeSeen } from '../servable/exclusions.ts';
import { HISTORY_SIGNATURE, unknownItemsTensor } from '../servable/history-signature.ts';
import {
  batchSize,
  EMBED_CANDIDATE,
  featuresOf,
  queriesOf,
  resultsToTensors,
  type Signature,
} from '../servable/signatures.ts';
import { unknownFeaturesText } from '../servable/unknown-features.ts';
import { invalidArgument } from '../status/serving-error.ts';
import type { Tensor, Tensors } from '../tensors/tensor.ts';
import type { ServedVersion } from './served-version.ts';

/** Bounds on one request. */
export interface RequestLimits {
  /** Most queries of one request. */
  queries: number;
  /** Most results that a query may ask for. */
  k: number;
}

/** Options of running a signature. */
export interface RunOptions extends RequestOptions {
  limits: RequestLimits;
  /** Results per query; default that of the servable. */
  k?: number | undefined;
  /** Whether results leave out items that the query's user has seen; default: the bundle's setting. */
  excludeSeen?: boolean | undefined;
  /**
   * Names of the wanted outputs, in order. The caller has checked that they exist. Empty for all outputs of the
   * signature.
   */
  outputs?: readonly string[];
  /** Called with the result of `unknownFeaturesText` if queries have features whose value the model does not know. */
  onUnknownFeatures?: ((text: string) => void) | undefined;
}

/** Compute the outputs of a signature for a batch of inputs. @throws {ServingError} */
export async function runSignature(
  served: ServedVersion,
  signature: Signature,
  inputs: Tensors,
  { limits, k, excludeSeen, outputs = [], onUnknownFeatures, ...options }: RunOptions,
): Promise<Map<string, Tensor>> {
  const rows = batchSize(signature, inputs);
  if (rows > limits.queries) {
    throw invalidArgument(`Expected at most ${limits.queries} queries in one request, got ${rows}`);
  }
  const { servable } = served;
  if (signature.name === 'embed') {
    return embeddingTensor(servable, servable.embed(featuresOf(servable.features, inputs, rows)), rows);
  }
  if (signature.name === EMBED_CANDIDATE) {
    const data = servable.embedCandidates(featuresOf(servable.candidateFeatures, inputs, rows));
    return embeddingTensor(servable, data, rows);
  }
  const results = checkK(k ?? servable.k, limits);
  const queries = queriesOf(servable, signature, inputs, { k: results, kMax: limits.k });
  for (const query of queries) {
    query.excludeSeen = excludeSeen;
    checkExcludeSeen(servable.seenItems, query);
  }
  const found = await served.search(queries, options);
  const unknown = onUnknownFeatures && unknownFeaturesText(found);
  if (unknown !== undefined) onUnknownFeatures!(unknown);
  const attributes = outputs.filter((name) => !signature.outputs.some((output) => output.name === name));
  const all = resultsToTensors(servable, found, attributes);
  if (signature.name === HISTORY_SIGNATURE) {
    all.set('unknown_items', unknownItemsTensor(servable.identifierDatatype, found));
  }
  return outputs.length === 0 ? all : new Map(outputs.map((name) => [name, all.get(name)!]));
}

function embeddingTensor({ dimensions }: Servable, data: Float32Array, rows: number): Map<string, Tensor> {
  return new Map([['embedding', { datatype: 'FP32', shape: [rows, dimensions], data }]]);
}

/** @throws {ServingError} INVALID_ARGUMENT unless k is a whole number from 1 to the limit */
export function checkK(k: number, limits: RequestLimits): number {
  if (!Number.isInteger(k) || k < 1 || k > limits.k) {
    throw invalidArgument(`k: expected an integer from 1 to ${limits.k}, got ${k}`);
  }
  return k;
}
