/** TF Serving's REST API: answers the request that a path and a body form with a body. */
import type { ModelRegistry } from '../models/registry.ts';
import { type RunOptions, runSignature } from '../models/run-signature.ts';
import type { ServedVersion } from '../models/served-version.ts';
import type { Query } from '../servable/contract.ts';
import { findSignature } from '../servable/signatures.ts';
import { unknownFeaturesText } from '../servable/unknown-features.ts';
import { invalidArgument } from '../status/serving-error.ts';
import { printMetadata, printStatus } from './describe.ts';
import { checkOutputs } from './output-filter.ts';
import { readPredictRequest } from './predict-request.ts';
import { printOutputs, printPrediction, printPredictions } from './predict-response.ts';
import type { RestCall } from './rest-path.ts';
import { singleQuery } from './single-query.ts';

/** Options of a call. */
type RestOptions = Omit<RunOptions, 'outputs' | 'k' | 'excludeSeen'>;

/** Answer one REST call. @throws {ServingError} */
export function answerRest(
  registry: ModelRegistry,
  call: RestCall,
  body: string,
  options: RestOptions,
): Promise<string> | string {
  if (call.verb === 'predict') return predict(registry, call, body, options);
  if (call.verb === 'classify' || call.verb === 'regress') {
    throw invalidArgument(`Expected ${call.verb} signature method_name; this model has predict signatures only`);
  }
  if (call.model === '') throw invalidArgument('Missing model name in request.');
  if (call.verb === 'status') return printStatus(registry.status(call.model, call.choice));
  return printMetadata(registry.choose(call.model, call.choice));
}

function predict(
  registry: ModelRegistry,
  { model, choice }: RestCall,
  body: string,
  options: RestOptions,
): Promise<string> {
  const version = registry.choose(model, choice);
  const single = singleQuery(version, body, options.limits);
  if (single) return predictSingle(version, single, options);
  return version.hold(async (served) => {
    const request = readPredictRequest(body, (name) => findSignature(served.signatures, name));
    const { signature, form, inputs } = request;
    checkOutputs(served.servable, signature, request.outputs);
    const outputs = await runSignature(served, signature, inputs, { ...options, outputs: request.outputs });
    return form === 'row' ? printPredictions(outputs) : printOutputs(outputs);
  });
}

/**
 * Run the work with a lease on the version, using one promise where `ServedVersion.hold` and its work would use three.
 */
async function predictSingle(version: ServedVersion, query: Query, options: RestOptions): Promise<string> {
  const lease = version.lease();
  let isAnswered = false;
  try {
    const [answer] = await version.search([query], options);
    const text = printPrediction(answer!);
    const unknown = unknownFeaturesText([answer!]);
    if (unknown !== undefined) options.onUnknownFeatures?.(unknown);
    isAnswered = true;
    return text;
  } finally {
    version.release(lease, isAnswered);
  }
}
