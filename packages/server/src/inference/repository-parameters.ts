/** The parameters of requests that load or unload a model, in REST and gRPC: an unknown one is refused, not ignored. */
import { invalidArgument } from '../status/serving-error.ts';
import { suggestion } from '../status/suggestion.ts';

const KNOWN = {
  load: [],
  // Clients of Triton send it with every request; the models of this server have no dependents.
  unload: ['unload_dependents'],
} as const;

/** Check the names of the parameters. @throws {ServingError} INVALID_ARGUMENT when one is unknown */
export function checkRepositoryParameters(request: keyof typeof KNOWN, parameters: object): void {
  const known: readonly string[] = KNOWN[request];
  for (const name of Object.keys(parameters)) {
    if (known.includes(name)) continue;
    throw invalidArgument(`parameter '${name}': unknown${suggestion(name, known, `${request} takes none`)}`);
  }
}
