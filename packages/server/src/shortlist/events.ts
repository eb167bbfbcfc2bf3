/** Events: the items that users have seen. They are appended to the journal, as updates of candidates are. */
import type { Identifier } from 'shortlist';
import type { ModelRegistry } from '../models/registry.ts';
import { checkUser } from '../servable/exclusions.ts';
import { checkStoredIdentifier } from '../servable/identifiers.ts';
import { readEach } from '../status/read-each.ts';
import type { UpdateResponse } from './messages.ts';
import { modelOf, update } from './operations.ts';

/** `EventsRequest` with identifiers of any protocol. */
interface Events {
  model?: string;
  events: readonly { user: Identifier; item: Identifier }[];
}

/**
 * Record the items that users have seen. Resolves when the events are in the journal and every process leaves the items
 * out.
 *
 * @throws {ServingError} when one of the events is wrong; then nothing is changed
 */
export function appendEvents(registry: ModelRegistry, { model, events }: Events): Promise<UpdateResponse> {
  return update(modelOf(registry, model), (servable) =>
    readEach('events', events, ({ user, item }) => ({
      kind: 'seen',
      user: checkUser(user),
      identifier: checkStoredIdentifier(servable.identifierDatatype, item, 'item'),
    })),
  );
}
