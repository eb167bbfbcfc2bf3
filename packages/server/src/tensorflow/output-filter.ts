/**
 * The output filter of a predict request: the names of the wanted outputs of the signature and of attributes of
 * candidates. In gRPC it is `output_filter`; over REST it is a field of the same name, which TF Serving's REST API does
 * not have.
 */
import type { JsonValue } from '../json/parse.ts';
import { shownJson } from '../json/print.ts';
import { outputNames } from '../servable/attribute-outputs.ts';
import type { Servable } from '../servable/contract.ts';
import type { Signature } from '../servable/signatures.ts';
import { invalidArgument } from '../status/serving-error.ts';

/** @throws {ServingError} INVALID_ARGUMENT with TF Serving's message when an output does not exist or is named twice */
export function checkOutputs(servable: Servable, signature: Signature, filter: readonly string[]): void {
  if (filter.length === 0) return;
  const known = outputNames(servable, signature);
  filter.forEach((name, i) => {
    if (!known.includes(name)) {
      throw invalidArgument(
        `output tensor alias not found in signature: ${name} Outputs expected to be in the set {${known.join(',')}}.`,
      );
    }
    if (filter.indexOf(name) < i) throw invalidArgument(`duplicate output tensor alias: ${name}`);
  });
}

/** Read the field of a REST request. @throws {ServingError} INVALID_ARGUMENT when it is no list of names */
export function readOutputFilter(value: JsonValue | undefined): string[] {
  if (value === undefined) return [];
  if (!Array.isArray(value) || !value.every((name) => typeof name === 'string')) {
    throw invalidArgument(`output_filter: expected a list of names of outputs, got ${shownJson(value)}`);
  }
  return value as string[];
}
