/** The operations of the plain JSON API: queries, whose results have attributes, and updates of candidates. */

import type { Identifier } from 'shortlist';
import { checkFilter, checkFilterAttributes } from '../attributes/filter.ts';
import { JSON_RESULT_FIELDS } from '../attributes/reserved-names.ts';
import type { AttributeValues } from '../attributes/values.ts';
import { integerText } from '../json/integer.ts';
import type { Model } from '../models/model.ts';
import type { ModelRegistry } from '../models/registry.ts';
import { checkK, type RequestLimits } from '../models/run-signature.ts';
import type { RequestOptions } from '../queue/batcher.ts';
import { noCandidateTower } from '../servable/candidate-features.ts';
import type { Features, Query, QueryResult, RequestedUpdate, RequestField, Servable } from '../servable/contract.ts';
import { checkExcludeSeen, checkUser } from '../servable/exclusions.ts';
import { checkIdentifier, checkStoredIdentifier } from '../servable/identifiers.ts';
import { checkQueryRules } from '../servable/query-rules.ts';
import { memberStep } from '../status/place.ts';
import { readEach } from '../status/read-each.ts';
import { invalidArgument, ServingError } from '../status/serving-error.ts';
import { shown } from '../status/shown.ts';
import { suggestion } from '../status/suggestion.ts';
import type {
  DeleteRequest,
  HistoryUse,
  JsonIdentifier,
  ShortlistHit,
  ShortlistRequest,
  ShortlistResponse,
  UpdateResponse,
  UpsertRequest,
} from './messages.ts';

/** The model that a request names, or the only one. @throws {ServingError} */
export function modelOf(registry: ModelRegistry, name: string | undefined): Model {
  if (registry.models.length === 0) {
    throw new ServingError('UNAVAILABLE', 'The server has not read its models yet', { retryAfterS: 1 });
  }
  if (name !== undefined) return registry.find(name);
  if (!registry.only)
    throw invalidArgument(`model: expected one of ${registry.models.map(({ name }) => name).join(', ')}, got none`);
  return registry.only;
}

/** The settings by which a query chooses the effort of an approximate search. An exact index ignores them. */
const EFFORTS = ['leavesToSearch', 'reorder'] as const;

/** Options of answering one request. */
type AnswerOptions = RequestOptions & { limits: RequestLimits };
/** The subject of a query, without its settings. */
type Target = Pick<Query, 'features' | 'encoded' | 'embedding' | 'history' | 'similarTo'>;
/** The settings of a query, which both kinds of requests have. */
type QuerySettings = Omit<ShortlistRequest, 'query' | 'embedding' | 'history' | ListOfIdentifiers | 'user'> &
  Partial<Record<ListOfIdentifiers, readonly Identifier[]>> & { user?: Identifier };
type ListOfIdentifiers = 'exclude' | 'include';
/** A response with results in the form of a protocol. */
type Answer<H> = Omit<ShortlistResponse, 'results'> & { results: H[] };

/** The form that a protocol gives to a result. */
export interface ResultForm<H> {
  /** Fields of a result under whose names no attribute can be shown. */
  fields: readonly string[];
  of: (id: Identifier, score: number, attributes: AttributeValues) => H;
}

/** Results of plain JSON, whose attributes stand beside identifier and score. */
export const JSON_RESULTS: ResultForm<ShortlistHit> = {
  fields: JSON_RESULT_FIELDS,
  // Identifier and score come last, so that attributes of the same names cannot replace them.
  of: (id, score, attributes) => ({ ...attributes, id: jsonIdentifier(id), score }),
};

/** Answer one shortlist request. @throws {ServingError} */
export function answerShortlist(
  registry: ModelRegistry,
  request: ShortlistRequest,
  options: AnswerOptions,
): Promise<ShortlistResponse> {
  return answer(registry, request, options, JSON_RESULTS, (servable) => {
    const { query: features, embedding, history, user } = request;
    // The query of a user alone is what the user has seen, where the bundle says that this is the query of every user.
    const isByUser = user !== undefined && servable.seenItems.seenAsHistory === 'always';
    if (embedding ? features !== undefined || history : features === undefined && !history && !isByUser) {
      const given = Object.entries({ query: features, history, embedding }).filter(([, value]) => value !== undefined);
      const got = given.map(([name]) => name).join(' and ') || 'none of them';
      throw invalidArgument(`query: expected query, history, both, or embedding, got ${got}`);
    }
    const target: Target = embedding ? { embedding: checkEmbedding(servable, embedding) } : {};
    if (features !== undefined) Object.assign(target, checkQuery(servable, features));
    if (history) target.history = identifiersOf(servable, 'history', history);
    return target;
  });
}

/**
 * Answer one request for similar candidates.
 *
 * @throws {ServingError} NOT_FOUND when one of `ids` is not a candidate's
 */
export function answerSimilar<H>(
  registry: ModelRegistry,
  request: QuerySettings & { ids?: readonly Identifier[]; embedding?: readonly number[] },
  options: AnswerOptions,
  form: ResultForm<H>,
): Promise<Answer<H>> {
  return answer(registry, request, options, form, (servable) => {
    const { ids, embedding } = request;
    if ((ids === undefined) === (embedding === undefined)) {
      throw invalidArgument(`ids: expected exactly one of ids and embedding, got ${ids ? 'both' : 'neither'}`);
    }
    if (embedding) return { similarTo: checkEmbedding(servable, embedding) };
    return { similarTo: identifiersOf(servable, 'ids', ids!) };
  });
}

async function answer<H>(
  registry: ModelRegistry,
  request: QuerySettings,
  { limits, ...options }: AnswerOptions,
  form: ResultForm<H>,
  targetOf: (servable: Servable) => Target,
): Promise<Answer<H>> {
  const started = performance.now();
  const model = modelOf(registry, request.model);
  const { version, label, timeoutMs } = request;
  const deadline = Math.min(
    options.deadline ?? Number.POSITIVE_INFINITY,
    timeoutMs === undefined ? Number.POSITIVE_INFINITY : started + timeoutMs,
  );
  return model.choose({ version, label }).hold(async (served) => {
    const { servable } = served;
    checkAttributes(servable, request.attributes, form.fields);
    const [found] = await served.search([queryOf(servable, request, limits, targetOf(servable))], {
      ...options,
      deadline,
    });
    const { identifiers, scores, rows } = found!;
    const results = identifiers.map((id, i) =>
      form.of(id, scores[i]!, servable.attributes.valuesOf(rows[i]!, request.attributes)),
    );
    const ignored = servable.isExact() ? EFFORTS.filter((name) => request[name] !== undefined) : [];
    return {
      model: model.name,
      version: served.version,
      results,
      ...(ignored.length > 0 && { ignored }),
      ...(found!.unknown && { unknown: [...found!.unknown] }),
      ...(found!.history && { history: historyUse(found!.history) }),
      tookMs: Math.round(1000 * (performance.now() - started)) / 1000,
    };
  });
}

const historyUse = ({ isUsed, known, unknown }: NonNullable<QueryResult['history']>): HistoryUse => ({
  isUsed,
  items: known.length,
  unknown: unknown.map(jsonIdentifier),
});

/**
 * The JSON form of an identifier. JSON readers round integers beyond 2^53, so those are sent as text, which requests
 * may also use.
 */
export function jsonIdentifier(id: Identifier): JsonIdentifier {
  if (typeof id === 'string') return id;
  return Number.isSafeInteger(Number(id)) ? Number(id) : integerText(id);
}

function queryOf(servable: Servable, request: QuerySettings, limits: RequestLimits, target: Target): Query {
  const { filter, exclude, include, leavesToSearch, reorder } = request;
  const k = checkK(request.k ?? servable.k, limits);
  const rules = checkQueryRules(servable, request, { k, kMax: limits.k });
  const query: Query = { ...target, k, leavesToSearch, reorder, rules };
  if (filter !== undefined) {
    query.filter = checkFilter(filter);
    checkFilterAttributes(query.filter, servable.attributes);
  }
  if (exclude) query.exclude = identifiersOf(servable, 'exclude', exclude);
  if (include) query.include = identifiersOf(servable, 'include', include);
  if (request.user !== undefined) query.user = checkUser(request.user);
  query.excludeSeen = request.excludeSeen;
  checkExcludeSeen(servable.seenItems, query);
  return query;
}

/** @param fields the fields of a result under whose names no attribute can be shown */
function checkAttributes({ attributes }: Servable, names: readonly string[] = [], fields: readonly string[]): void {
  names.forEach((name, i) => {
    if (fields.includes(name)) {
      throw invalidArgument(`attributes[${i}]: expected an attribute, got '${name}', a field that every result has`);
    }
    if (attributes.has(name)) return;
    const help = suggestion(name, attributes.names, 'the candidates have none');
    throw invalidArgument(`attributes[${i}]: unknown attribute '${name}'${help}`);
  });
}

function checkQuery(servable: Servable, query: unknown): Pick<Query, 'features' | 'encoded'> {
  const { features } = servable;
  if (features.length === 0) throw invalidArgument('query: this model has no query tower, send an embedding');
  const checked = checkFeatures(features, 'query', query);
  const encoded = servable.encodeFeatures([checked]);
  return { features: checked, encoded: encoded && { features: encoded, row: 0 } };
}

/** @param field name of the field in the request, for messages */
function checkFeatures(features: readonly RequestField[], field: 'query' | 'features', query: unknown): Features {
  const isObject = typeof query === 'object' && query !== null && !Array.isArray(query);
  const values = isObject ? (query as Record<string, unknown>) : { [features[0]!.name]: query };
  if (!isObject && features.length > 1) {
    const names = features.map(({ name }) => name).join(', ');
    throw invalidArgument(`${field}: expected an object with ${names}, got ${shown(query)}`);
  }
  for (const name of Object.keys(values)) {
    if (!features.some((feature) => feature.name === name)) {
      const known = features.map((feature) => feature.name);
      throw invalidArgument(`${field}${memberStep(name)}: unknown feature${suggestion(name, known, 'there is none')}`);
    }
  }
  if (features[0]!.isRaw) return values as Features;
  for (const { name, datatype, shape } of features) {
    // A feature may be called toString, so only own properties count.
    const value = Object.hasOwn(values, name) ? values[name] : undefined;
    const elements = shape.length === 0 ? [value] : value;
    const wanted = datatype === 'BYTES' ? 'string' : datatype === 'BOOL' ? 'boolean' : 'number';
    if (!Array.isArray(elements) || !elements.every((element) => typeof element === wanted)) {
      throw invalidArgument(
        `${field}${memberStep(name)}: expected ${shape.length === 0 ? `a ${wanted}` : `a list of ${wanted}s`}, got ${shown(value)}`,
      );
    }
  }
  return (features.length === 1 ? values[features[0]!.name] : values) as Features;
}

function identifiersOf({ identifierDatatype }: Servable, name: string, ids: readonly Identifier[]): Identifier[] {
  return readEach(name, ids, (id) => checkIdentifier(identifierDatatype, id, ''));
}

function checkEmbedding({ dimensions }: Servable, numbers: readonly number[]): Float32Array {
  if (numbers.length !== dimensions) {
    throw invalidArgument(`embedding: expected ${dimensions} numbers, got ${numbers.length}`);
  }
  const embedding = Float32Array.from(numbers);
  const at = embedding.findIndex((number) => !Number.isFinite(number));
  if (at >= 0) throw invalidArgument(`embedding[${at}]: expected a number that float32 can hold, got ${numbers[at]}`);
  return embedding;
}

/** A request to upsert, with identifiers of any protocol. */
type Upserts = Omit<UpsertRequest, 'candidates'> & {
  candidates: readonly (Omit<UpsertRequest['candidates'][number], 'id'> & { id: Identifier })[];
};

/**
 * Insert or replace candidates, given by their vectors or by their raw features.
 *
 * @param idOf converts identifiers to the protocol's form for the response
 * @throws {ServingError} when one of them is wrong; then nothing is changed
 */
export async function upsertCandidates<I>(
  registry: ModelRegistry,
  { model, candidates }: Upserts,
  idOf: (id: Identifier) => I,
): Promise<Omit<UpdateResponse, 'unknown'> & { unknown?: { id: I; features: string[] }[] }> {
  const unknown: { id: I; features: string[] }[] = [];
  const answer = await update(modelOf(registry, model), (servable) =>
    readEach('candidates', candidates, ({ id, embedding, features, attributes }) => {
      const identifier = checkStoredIdentifier(servable.identifierDatatype, id);
      const upsert = { kind: 'upsert', identifier, attributes } as const;
      if ((embedding === undefined) === (features === undefined)) {
        throw invalidArgument(`embedding: expected embedding or features, got ${embedding ? 'both' : 'neither'}`);
      }
      if (embedding) return { ...upsert, embedding: checkEmbedding(servable, embedding) };
      if (servable.candidateFeatures.length === 0) throw noCandidateTower();
      const checked = checkFeatures(servable.candidateFeatures, 'features', features);
      const names = servable.unknownCandidateFeatures(checked);
      if (names) unknown.push({ id: idOf(id), features: [...names] });
      return { ...upsert, features: checked };
    }),
  );
  return { ...answer, ...(unknown.length > 0 && { unknown }) };
}

/** Remove candidates. Identifiers that are not in the index are ignored. @throws {ServingError} */
export function deleteCandidates(
  registry: ModelRegistry,
  { model, ids }: Omit<DeleteRequest, 'ids'> & { ids: readonly Identifier[] },
): Promise<UpdateResponse> {
  return update(modelOf(registry, model), (servable) =>
    identifiersOf(servable, 'ids', ids).map((identifier) => ({ kind: 'delete', identifier })),
  );
}

/** Journal updates of a model and apply them. @throws {ServingError} when one of them is wrong; then nothing is changed */
export async function update(
  model: Model,
  updatesFor: (servable: Servable) => RequestedUpdate[],
): Promise<Omit<UpdateResponse, 'unknown'>> {
  const updates = updatesFor(model.choose({}).servable);
  const version = await model.update(updates);
  return { model: model.name, version, acknowledged: updates.length };
}
