/** TF Serving's REST API: what a path asks for and a body in, a body out. */
import type { ModelRegistry } from '../models/registry.ts';
import { type RequestLimits, runSignature } from '../models/run-signature.ts';
import type { AskOptions } from '../queue/batcher.ts';
import { findSignature } from '../servable/signatures.ts';
import { invalidArgument } from '../status/serving-error.ts';
import { printMetadata, printStatus } from './describe.ts';
import { readPredictRequest } from './predict-request.ts';
import { printOutputs, printPrediction, printPredictions } from './predict-response.ts';
import type { RestCall } from './rest-path.ts';
import { singleQuery } from './single-query.ts';

/** Answer one REST call. @throws {ServingError} */
export function answerRest(
  registry: ModelRegistry,
  call: RestCall,
  body: string,
  options: AskOptions & { limits: RequestLimits },
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
  options: AskOptions & { limits: RequestLimits },
): Promise<string> {
  return registry.choose(model, choice).hold(async (served) => {
    const single = singleQuery(served, body, options.limits);
    if (single) {
      const [answer] = await served.ask([single], options);
      return printPrediction(answer!, served.servable.identifierDatatype);
    }
    const { signature, form, inputs } = readPredictRequest(body, (name) => findSignature(served.signatures, name));
    const outputs = await runSignature(served, signature, inputs, options);
    return form === 'row' ? printPredictions(outputs) : printOutputs(outputs);
  });
}
