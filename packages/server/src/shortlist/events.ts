/** Events: what users have seen, appended to the journal as updates of candidates are. */
import type { Identifier } from 'shortlist';
import type { ModelRegistry } from '../models/registry.ts';
import { checkUser } from '../servable/exclusions.ts';
import { checkIdentifier } from '../servable/identifiers.ts';
import type { UpdateResponse } from './messages.ts';
import { modelOf, update } from './operations.ts';

/** `EventsRequest` with identifiers of any protocol. */
interface Events {
  model?: string;
  events: readonly { user: Identifier; item: Identifier }[];
}

/**
 * Say what users have seen; resolves when it is in the journal and every process leaves it out.
 *
 * @throws {ServingError} and changes nothing, when one of the events is wrong
 */
export function appendEvents(registry: ModelRegistry, { model, events }: Events): Promise<UpdateResponse> {
  return update(modelOf(registry, model), (servable) =>
    events.map(({ user, item }) => ({
      kind: 'seen',
      user: checkUser(user),
      identifier: checkIdentifier(servable.identifierDatatype, item, 'item'),
    })),
  );
}
