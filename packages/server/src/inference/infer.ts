/**
 * ModelInfer of the Open Inference Protocol, for both REST and gRPC. Its inputs and outputs are named tensors.
 *
 * The protocol has no signatures. The parameter `signature_name` names one; without it, the first signature is used
 * whose inputs are exactly those of the request and whose outputs include the requested ones. The parameter `k` sets
 * the number of results per query, `exclude_seen` whether items that the query's user has seen are left out, and
 * `timeout` the deadline (in microseconds; 0 for none, as in Triton). Parameters of other names, which clients send for
 * other servers, are ignored unless they look like a misspelt one. An output may also be an attribute of the candidates.
 */
import { nearestName } from 'shortlist/options';
import type { ModelRegistry } from '../models/registry.ts';
import { type RequestLimits, runSignature } from '../models/run-signature.ts';
import type { ServedVersion } from '../models/served-version.ts';
import type { RequestOptions } from '../queue/batcher.ts';
import { outputNames } from '../servable/attribute-outputs.ts';
import type { Servable } from '../servable/contract.ts';
import { findSignature, type Signature } from '../servable/signatures.ts';
import { invalidArgument } from '../status/serving-error.ts';
import { shown } from '../status/shown.ts';
import { suggestion } from '../status/suggestion.ts';
import type { Tensor, Tensors } from '../tensors/tensor.ts';

/** Parameters by name. */
export type Parameters = ReadonlyMap<string, string | number | boolean>;

/** One request. */
export interface InferRequest {
  model: string;
  /** Version as text; '' for the newest. */
  version: string;
  parameters: Parameters;
  inputs: Tensors;
  /** Names of the wanted outputs; empty for all. */
  outputs: readonly string[];
}

/** One response. */
export interface InferResponse {
  model: string;
  version: string;
  outputs: Map<string, Tensor>;
  /**
   * Which features of which queries have a value that the model does not know, as JSON: a parameter of the response.
   */
  unknownFeatures: string | undefined;
}

/** The version number in the text of a path or a message; undefined for ''. @throws {ServingError} INVALID_ARGUMENT */
export function parseVersion(text: string): number | undefined {
  if (text === '') return undefined;
  const version = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isNaN(version))
    throw invalidArgument(`failed to get model version from specified version string '${text}'`);
  return version;
}

/** The parameters that are read here, and those that REST reads from a request. */
const PARAMETERS: readonly string[] = ['signature_name', 'k', 'exclude_seen', 'timeout', 'binary_data_output'];

function checkParameterNames(parameters: Parameters): void {
  for (const name of parameters.keys()) {
    const nearest = PARAMETERS.includes(name) ? undefined : nearestName(name, PARAMETERS);
    if (nearest !== undefined) throw invalidArgument(`parameter '${name}': unknown, did you mean '${nearest}'?`);
  }
}

/** The inputs by name. @throws {ServingError} INVALID_ARGUMENT when two have the same name */
export function inputsByName(inputs: Iterable<readonly [string, Tensor]>): Map<string, Tensor> {
  const byName = new Map<string, Tensor>();
  for (const [name, tensor] of inputs) {
    if (byName.has(name)) throw invalidArgument(`input '${name}': expected once, got twice`);
    byName.set(name, tensor);
  }
  return byName;
}

/** The time at which a request with a parameter `timeout` in microseconds must be answered. */
function deadlineOf(timeoutUs: string | number | boolean | undefined, latest: number | undefined): number | undefined {
  if (timeoutUs === undefined || timeoutUs === 0) return latest;
  if (typeof timeoutUs !== 'number' || !(timeoutUs > 0)) {
    throw invalidArgument(`parameter timeout: expected microseconds, got ${JSON.stringify(String(timeoutUs))}`);
  }
  return Math.min(latest ?? Number.POSITIVE_INFINITY, performance.now() + timeoutUs / 1000);
}

/** Answer one request. @throws {ServingError} */
export function infer(
  registry: ModelRegistry,
  call: InferRequest,
  options: RequestOptions & { limits: RequestLimits },
): Promise<InferResponse> {
  return registry.choose(call.model, { version: parseVersion(call.version) }).hold(async (served) => {
    checkParameterNames(call.parameters);
    const signature = signatureOf(served, call);
    const k = call.parameters.get('k');
    if (k !== undefined && typeof k !== 'number') {
      throw invalidArgument(`parameter k: expected an integer, got ${shown(k)}`);
    }
    const excludeSeen = call.parameters.get('exclude_seen');
    if (excludeSeen !== undefined && typeof excludeSeen !== 'boolean') {
      throw invalidArgument(`parameter exclude_seen: expected true or false, got ${shown(excludeSeen)}`);
    }
    const deadline = deadlineOf(call.parameters.get('timeout'), options.deadline);
    let unknownFeatures: string | undefined;
    const outputs = await runSignature(served, signature, call.inputs, {
      ...options,
      deadline,
      k,
      excludeSeen,
      outputs: call.outputs,
      onUnknownFeatures: (text) => {
        unknownFeatures = text;
      },
    });
    return { model: served.model, version: String(served.version), outputs, unknownFeatures };
  });
}

function signatureOf(
  { signatures, model, servable }: ServedVersion,
  { parameters, inputs, outputs }: InferRequest,
): Signature {
  const named = parameters.get('signature_name');
  const hasOutputs = (signature: Signature): boolean =>
    outputs.every((name) => outputNames(servable, signature).includes(name));
  if (named !== undefined) {
    const signature = findSignature(signatures, String(named));
    for (const name of inputs.keys()) {
      if (!signature.inputs.some((input) => input.name === name)) {
        throw invalidArgument(`unexpected inference input '${name}' for model '${model}'`);
      }
    }
    if (!hasOutputs(signature)) throw unexpectedOutput(model, outputs, servable, [signature]);
    return signature;
  }
  const fitting = [...signatures.values()].filter(
    (signature) =>
      signature.inputs.every(({ name, isOptional }) => inputs.has(name) || isOptional) &&
      inputs.size === signature.inputs.filter(({ name }) => inputs.has(name)).length &&
      inputs.size > 0,
  );
  if (fitting.length === 0) {
    const forms = [...signatures.values()].map(({ inputs }) => inputs.map(({ name }) => name).join(' + '));
    throw invalidArgument(
      `unexpected inference inputs '${[...inputs.keys()].join("', '")}' for model '${model}', ` +
        `expected ${[...new Set(forms)].join(', or ')}`,
    );
  }
  const signature = fitting.find(hasOutputs);
  if (!signature) throw unexpectedOutput(model, outputs, servable, fitting);
  return signature;
}

function unexpectedOutput(
  model: string,
  outputs: readonly string[],
  servable: Servable,
  signatures: readonly Signature[],
): Error {
  const known = [...new Set(signatures.flatMap((signature) => outputNames(servable, signature)))];
  const unknown = outputs.find((name) => !known.includes(name));
  const help = unknown === undefined ? '' : suggestion(unknown, known, 'there is none');
  return invalidArgument(`unexpected inference output '${unknown ?? outputs[0]}' for model '${model}'${help}`);
}
