/** Our own gRPC service: live updates of candidates. */
import type { UntypedServiceImplementation } from '@grpc/grpc-js';
import type { AttributeValue } from '../attributes/values.ts';
import type { ServingContext } from '../context/serving-context.ts';
import { deleteCandidates, upsertCandidates } from '../shortlist/operations.ts';
import { type IdentifierMessage, identifierOf } from './identifiers.ts';
import { unary } from './unary.ts';

interface AttributeMessage {
  kind?: 'text' | 'number' | 'boolean' | 'list';
  text?: string;
  number?: number;
  boolean?: boolean;
  list?: { values: AttributeMessage[] };
}

interface UpsertMessage {
  model: string;
  candidates: { id: IdentifierMessage | null; embedding: number[]; attributes: Record<string, AttributeMessage> }[];
}

function attributeOf(message: AttributeMessage): AttributeValue {
  if (message.kind !== 'list') return message.kind ? message[message.kind]! : null;
  // What is no text and no number within a list is refused with the other checks of values.
  return message.list!.values.map((item) => attributeOf(item) as string | number);
}

/** Handlers of `shortlist.v1.CandidateService`. */
export function candidateService(context: ServingContext): UntypedServiceImplementation {
  const { registry, metrics } = context;
  return {
    Upsert: unary(context, 'write', async ({ model, candidates }: UpsertMessage) => {
      const answer = await upsertCandidates(registry, {
        ...(model === '' ? {} : { model }),
        candidates: candidates.map(({ id, embedding, attributes }) => ({
          id: identifierOf('id', id),
          embedding,
          attributes: Object.fromEntries(Object.entries(attributes).map(([name, value]) => [name, attributeOf(value)])),
        })),
      });
      metrics.updates.inc({ model_name: answer.model, kind: 'upsert' }, answer.acknowledged);
      return answer;
    }),
    Delete: unary(context, 'write', async ({ model, ids }: { model: string; ids: IdentifierMessage[] }) => {
      const answer = await deleteCandidates(registry, {
        ...(model === '' ? {} : { model }),
        ids: ids.map((id) => identifierOf('id', id)),
      });
      metrics.updates.inc({ model_name: answer.model, kind: 'delete' }, answer.acknowledged);
      return answer;
    }),
  };
}
