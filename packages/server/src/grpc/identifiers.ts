/** Conversion of identifiers of candidates and users from the messages of `shortlist.v1`. */
import type { Identifier } from 'shortlist';
import { invalidArgument } from '../status/serving-error.ts';

/** `shortlist.v1.Identifier`. */
export interface IdentifierMessage {
  kind?: 'text' | 'integer';
  text?: string;
  integer?: string;
}

/** The identifier of a message. @throws {ServingError} INVALID_ARGUMENT when it has none */
export function identifierOf(name: string, message: IdentifierMessage | null): Identifier {
  if (!message?.kind) throw invalidArgument(`${name}: expected text or an integer, got none`);
  return message.kind === 'text' ? message.text! : BigInt(message.integer!);
}
