/** The gRPC service `shortlist.v1.CandidateService`: live updates of candidates, and queries for similar candidates. */
import type { UntypedServiceImplementation } from '@grpc/grpc-js';
import type { Identifier } from 'shortlist';
import type { Filter } from '../attributes/filter.ts';
import type { AttributeValue } from '../attributes/values.ts';
import type { ServingContext } from '../context/serving-context.ts';
import { integerText } from '../json/integer.ts';
import type { JsonQuery } from '../shortlist/messages.ts';
import { answerSimilar, deleteCandidates, type ResultForm, upsertCandidates } from '../shortlist/operations.ts';
import { invalidArgument } from '../status/serving-error.ts';
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
  candidates: {
    id: IdentifierMessage | null;
    embedding: number[];
    attributes: Record<string, AttributeMessage>;
    features: Record<string, string>;
    feature_values: Record<string, AttributeMessage>;
  }[];
}

function attributeOf(message: AttributeMessage): AttributeValue {
  if (message.kind !== 'list') return message.kind ? message[message.kind]! : null;
  // Elements of a list that are neither text nor numbers are refused later, together with the other checks of values.
  return message.list!.values.map((item) => attributeOf(item) as string | number);
}

function attributesOf(messages: Readonly<Record<string, AttributeMessage>>): Record<string, AttributeValue> {
  return Object.fromEntries(Object.entries(messages).map(([name, message]) => [name, attributeOf(message)]));
}

interface SimilarMessage {
  model: string;
  ids: IdentifierMessage[];
  embedding: number[];
  k: number;
  exclude: IdentifierMessage[];
  include: IdentifierMessage[];
  filter: string;
  exclude_seen?: boolean;
  user: IdentifierMessage | null;
  attributes: string[];
  version?: string;
  label: string;
  leaves_to_search: number;
  reorder: number;
}

/** Convert a message to a request of the plain JSON API. A field that the message leaves out has its type's default. */
function similarRequestOf(message: SimilarMessage): Parameters<typeof answerSimilar>[1] {
  const { model, ids, embedding, k, exclude, include, filter, user, attributes, version, label } = message;
  const list = (name: string, of: readonly IdentifierMessage[]): Identifier[] => of.map((id) => identifierOf(name, id));
  return {
    ...(model !== '' && { model }),
    ...(version !== undefined && { version: Number(version) }),
    ...(label !== '' && { label }),
    ...(ids.length > 0 && { ids: list('ids', ids) }),
    ...(embedding.length > 0 && { embedding }),
    ...(k > 0 && { k }),
    exclude: list('exclude', exclude),
    ...(include.length > 0 && { include: list('include', include) }),
    ...(filter !== '' && { filter: filterOf(filter) }),
    ...(message.exclude_seen !== undefined && { excludeSeen: message.exclude_seen }),
    ...(user && { user: identifierOf('user', user) }),
    ...(attributes.length > 0 && { attributes }),
    ...(message.leaves_to_search > 0 && { leavesToSearch: message.leaves_to_search }),
    ...(message.reorder > 0 && { reorder: message.reorder }),
  };
}

function filterOf(text: string): Filter {
  try {
    return JSON.parse(text) as Filter;
  } catch {
    throw invalidArgument(`filter: expected JSON, got ${JSON.stringify(text.slice(0, 40))}`);
  }
}

const identifierMessage = (id: Identifier): IdentifierMessage =>
  typeof id === 'string' ? { kind: 'text', text: id } : { kind: 'integer', integer: integerText(id) };

function attributeMessage(value: AttributeValue): AttributeMessage {
  if (Array.isArray(value)) return { kind: 'list', list: { values: value.map(attributeMessage) } };
  if (typeof value === 'string') return { kind: 'text', text: value };
  if (typeof value === 'boolean') return { kind: 'boolean', boolean: value };
  return { kind: 'number', number: value as number };
}

/** Results of `Similar`, whose attributes are a map of their own. */
const RESULTS: ResultForm<object> = {
  fields: [],
  of: (id, score, attributes) => ({
    id: identifierMessage(id),
    score,
    attributes: Object.fromEntries(
      Object.entries(attributes).map(([name, value]) => [name, attributeMessage(value)] as const),
    ),
  }),
};

/** Handlers of `shortlist.v1.CandidateService`. */
export function candidateService(context: ServingContext): UntypedServiceImplementation {
  const { registry, metrics } = context;
  return {
    Upsert: unary(context, 'write', async ({ model, candidates }: UpsertMessage) => {
      const answer = await upsertCandidates(
        registry,
        {
          ...(model === '' ? {} : { model }),
          candidates: candidates.map((candidate) => {
            const { id, embedding, attributes } = candidate;
            const features = { ...candidate.features, ...attributesOf(candidate.feature_values) };
            const hasFeatures = Object.keys(features).length > 0;
            return {
              id: identifierOf('id', id),
              ...(hasFeatures && { features: features as JsonQuery }),
              // In Protobuf an empty vector is the same as a missing one.
              ...((embedding.length > 0 || !hasFeatures) && { embedding }),
              attributes: attributesOf(attributes),
            };
          }),
        },
        identifierMessage,
      );
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
    Similar: unary(context, 'read', async (message: SimilarMessage, options) => {
      const found = await answerSimilar(registry, similarRequestOf(message), options, RESULTS);
      const { model, version, results, tookMs, ignored = [] } = found;
      return {
        model,
        version,
        results,
        took_ms: tookMs,
        ignored: ignored.map((name) => (name === 'leavesToSearch' ? 'leaves_to_search' : name)),
      };
    }),
  };
}
