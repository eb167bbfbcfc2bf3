/** The gRPC service `shortlist.v1.EventService`, which records the items that users have seen. */
import type { UntypedServiceImplementation } from '@grpc/grpc-js';
import type { ServingContext } from '../context/serving-context.ts';
import { appendEvents } from '../shortlist/events.ts';
import { type IdentifierMessage, identifierOf } from './identifiers.ts';
import { unary } from './unary.ts';

interface EventsMessage {
  model: string;
  events: { user: IdentifierMessage | null; item: IdentifierMessage | null }[];
}

/** Handlers of `shortlist.v1.EventService`. */
export function eventService(context: ServingContext): UntypedServiceImplementation {
  const { registry, metrics } = context;
  return {
    Append: unary(context, 'write', async ({ model, events }: EventsMessage) => {
      const answer = await appendEvents(registry, {
        ...(model === '' ? {} : { model }),
        events: events.map(({ user, item }) => ({
          user: identifierOf('user', user),
          item: identifierOf('item', item),
        })),
      });
      metrics.updates.inc({ model_name: answer.model, kind: 'seen' }, answer.acknowledged);
      return answer;
    }),
  };
}
