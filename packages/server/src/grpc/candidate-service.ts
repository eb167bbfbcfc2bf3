/** Our own gRPC service: live updates of candidates. */
import type { UntypedServiceImplementation } from '@grpc/grpc-js';
import type { Identifier } from 'shortlist';
import type { ServingContext } from '../context/serving-context.ts';
import { deleteCandidates, upsertCandidates } from '../shortlist/operations.ts';
import { invalidArgument } from '../status/serving-error.ts';
import { unary } from './unary.ts';

interface IdentifierMessage {
  kind?: 'text' | 'integer';
  text?: string;
  integer?: string;
}

interface AttributeMessage {
  kind?: 'text' | 'number' | 'boolean';
  text?: string;
  number?: number;
  boolean?: boolean;
}

interface UpsertMessage {
  model: string;
  candidates: { id: IdentifierMessage | null; embedding: number[]; attributes: Record<string, AttributeMessage> }[];
}

function identifierOf(message: IdentifierMessage | null): Identifier {
  if (!message?.kind) throw invalidArgument('id: expected text or an integer');
  return message.kind === 'text' ? message.text! : BigInt(message.integer!);
}

/** Handlers of `shortlist.v1.CandidateService`. */
export function candidateService(context: ServingContext): UntypedServiceImplementation {
  const { registry, metrics } = context;
  return {
    Upsert: unary(context, 'write', async ({ model, candidates }: UpsertMessage) => {
      const answer = await upsertCandidates(registry, {
        ...(model === '' ? {} : { model }),
        candidates: candidates.map(({ id, embedding, attributes }) => ({
          id: identifierOf(id),
          embedding,
          attributes: Object.fromEntries(
            Object.entries(attributes).map(([name, value]) => [name, value.kind ? value[value.kind]! : null]),
          ),
        })),
      });
      metrics.updates.inc({ model_name: answer.model, kind: 'upsert' }, answer.acknowledged);
      return answer;
    }),
    Delete: unary(context, 'write', async ({ model, ids }: { model: string; ids: IdentifierMessage[] }) => {
      const answer = await deleteCandidates(registry, {
        ...(model === '' ? {} : { model }),
        ids: ids.map(identifierOf),
      });
      metrics.updates.inc({ model_name: answer.model, kind: 'delete' }, answer.acknowledged);
      return answer;
    }),
  };
}
