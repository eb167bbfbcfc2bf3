/**
 * Models of two towers over features, from interactions, values of users and items, and a spec: what the features learn, the
 * examples, the exact index of the items, and the recommender for the evaluation.
 *
 * The examples of a spec that reads histories are those of `nextItemExamples`; otherwise each interaction is one.
 */
import type { Interactions } from '../data/interactions.ts';
import { itemsByUser, listOf } from '../data/items-by-user.ts';
import { OptionError, ShapeError } from '../errors/errors.ts';
import type { Feature } from '../features/contract.ts';
import { FeatureSet, type RawColumns } from '../features/feature-set.ts';
import { FeatureLearner } from '../features/learn-features.ts';
import { LearnedFeature } from '../features/learned-feature.ts';
import type { FeatureSpec, FeatureSpecs } from '../features/spec.ts';
import { LazyAdam } from '../optimizers/adam.ts';
import type { Runtime } from '../parallel/runtime.ts';
import { ThroughIndex } from '../recommenders/through-index.ts';
import type { RetrievalDataset } from '../retrieval/dataset.ts';
import { TwoTowerModel } from '../retrieval/model.ts';
import { nextItemExamples } from '../retrieval/next-item-examples.ts';
import { Retrieval } from '../retrieval/task.ts';
import { BruteForce } from '../topk/brute-force/brute-force.ts';
import { createTowers } from '../towers/create-towers.ts';
import { EMBEDDING_DIMENSIONS } from '../towers/feature-inputs.ts';
import type { Tower } from '../towers/tower.ts';
import type { Features } from '../towers/tower-inputs.ts';
import {
  type FeatureModelSpec,
  HISTORY_FIELD,
  historyLength,
  ITEM_FIELD,
  mapSpecs,
  type TowerSpec,
  USER_FIELD,
} from './feature-model-spec.ts';

/** Raw values of one row by field. */
export type RawFeatures = Readonly<Record<string, unknown>>;

/** A spec, and the values of the users and items of interactions. */
export interface FeatureModelData {
  readonly spec: FeatureModelSpec;
  /** By field: [users] values in the order of the vocabulary of users; undefined where there is none. */
  readonly userFields?: RawColumns | undefined;
  /** By field: [items] values in the order of the vocabulary of items. */
  readonly itemFields?: RawColumns | undefined;
}

/** Options of training that are the same for all specs. */
export interface TowerTraining {
  readonly temperature: number;
  readonly learningRate: number;
  readonly seed: number;
  readonly runtime: Runtime;
}

/** The width of towers whose spec gives none and which do not have one feature and one table. */
const DIMENSIONS = 64;

/** A model whose features have learned all that they need. */
export function newFeatureModel<Q extends Features, C extends Features>(
  features: FeatureSet,
  { queryTower, candidateTower, dimensions, biases }: FeatureModelSpec,
  { temperature, learningRate, seed, runtime }: TowerTraining,
): TwoTowerModel<Q, C> {
  const width = dimensions ?? widthOfOneTable(queryTower, candidateTower, features) ?? DIMENSIONS;
  const shared = sharedFeatures([queryTower, candidateTower], features, width);
  const [query, candidate] = [queryTower, candidateTower].map((tower, i) => {
    const { features: specs, dense, layers, normalize = true } = tower;
    const isDefault = !layers && !dense;
    const initializer = shared ? 'identity' : 'glorotUniform';
    const layer = { kind: 'dense', units: width, initializer } as const;
    const head = dense ? { dense } : { layers: layers ?? [layer] };
    // The copy that a layer begins as is that of the first feature.
    const names = Object.keys(specs).sort((a, b) => Number(b === shared?.[i]) - Number(a === shared?.[i]));
    return { features: features.pick(isDefault ? names : Object.keys(specs)), normalize, ...head };
  });
  return new TwoTowerModel<Q, C>({
    ...createTowers<Q, C>({
      ...{ queryTower: query!, candidateTower: candidate!, seed, runtime },
      ...(biases && { biases: 'candidates' }),
    }),
    task: new Retrieval({ temperature }),
    optimizer: new LazyAdam({ learningRate }),
  });
}

/**
 * The feature of each tower that reads a table of both with vectors of the width of the towers. Towers that begin with these
 * vectors learn from the first step on as a history tower does, and the other features are added to them. Undefined where there
 * is none, or a tower has layers of its own.
 */
function sharedFeatures(
  towers: readonly TowerSpec[],
  features: FeatureSet,
  width: number,
): readonly string[] | undefined {
  if (towers.some(({ dense, layers }) => dense ?? layers)) return undefined;
  const [query, candidate] = towers.map(({ features: specs }) =>
    Object.keys(specs)
      .map((name) => features.get(name))
      .filter(({ column }) => column !== 'floats'),
  );
  for (const a of query!) {
    const b = candidate!.find(({ table }) => table === a.table);
    if (b && widthOfTable(a, b) === width) return [a.name, b.name];
  }
  return undefined;
}

/** The width of the table of two towers of one feature each, such as a history and an item, where both have one table. */
function widthOfOneTable(query: TowerSpec, candidate: TowerSpec, features: FeatureSet): number | undefined {
  const names = [query, candidate].flatMap((tower) => Object.keys(tower.features));
  const [one, other] = names.map((name) => features.get(name));
  const isOneTable = names.length === 2 && one!.column !== 'floats' && one!.table === other!.table;
  return isOneTable ? widthOfTable(one!, other!) : undefined;
}

/** The width of a table that two features share. */
function widthOfTable(a: Feature, b: Feature): number {
  return a.spec.dimensions ?? b.spec.dimensions ?? EMBEDDING_DIMENSIONS;
}

/**
 * Learn the features of a spec: identifiers and histories from the interactions, other values from the users and items.
 *
 * @throws {FeatureError} with the first ten values that do not fit the spec
 * @throws {OptionError} when a feature reads a field that the data do not have
 */
export function learnModelFeatures(interactions: Interactions, data: FeatureModelData, seed: number): FeatureSet {
  const { spec, userFields = {}, itemFields = {} } = data;
  const { users, items } = interactions;
  const sides = [
    { name: 'queryTower', specs: spec.queryTower.features, columns: userFields, own: [USER_FIELD, HISTORY_FIELD] },
    { name: 'candidateTower', specs: spec.candidateTower.features, columns: itemFields, own: [ITEM_FIELD] },
  ];
  for (const { name, specs, columns, own } of sides) {
    for (const [feature, field] of fieldsOf(specs)) {
      if (own.includes(field) || Object.hasOwn(columns, field)) continue;
      throw new OptionError(`${name}.features.${feature}: expected a field of the data, got ${JSON.stringify(field)}`);
    }
  }
  // Fields of users and items may have the same name, so each side has its own names while they are learned.
  const scoped = sides.map(({ specs }, side) => mapSpecs(specs, (each, name) => withScope(each, name, side)));
  const learner = new FeatureLearner({ ...scoped[0], ...scoped[1] }, { seed });
  const lists = itemsByUser(interactions);
  const histories = users.vocabulary.map((_, user) =>
    Array.from(listOf(lists, user), (item) => items.vocabulary[item]!),
  );
  learner.add({ [scope(USER_FIELD, 0)]: Array.from(users.codes, (code) => users.vocabulary[code]!) });
  learner.add({ [scope(ITEM_FIELD, 1)]: Array.from(items.codes, (code) => items.vocabulary[code]!) });
  learner.add({ [scope(HISTORY_FIELD, 0)]: histories });
  sides.forEach(({ columns }, side) => {
    learner.add(Object.fromEntries(Object.entries(columns).map(([field, values]) => [scope(field, side), values])));
  });
  const { learned } = learner.finish();
  const specOf = { ...spec.queryTower.features, ...spec.candidateTower.features };
  return new FeatureSet(
    learned.map(({ name, learned: facts, vocabulary }) => {
      return new LearnedFeature({ name, spec: specOf[name]!, learned: facts, vocabulary });
    }),
  );
}

const scope = (field: string, side: number): string => `${side === 0 ? 'queryTower' : 'candidateTower'}.${field}`;

function withScope(spec: FeatureSpec, name: string, side: number): FeatureSpec {
  return {
    ...spec,
    field: scope(spec.field ?? name, side),
    ...('weights' in spec && spec.weights !== undefined && { weights: scope(spec.weights, side) }),
    ...('now' in spec && spec.now !== undefined && { now: scope(spec.now, side) }),
  };
}

/** The fields that features read, each with the name of its feature. */
export function fieldsOf(specs: FeatureSpecs): [feature: string, field: string][] {
  return Object.entries(specs).flatMap(([name, spec]) => {
    const beside = 'weights' in spec ? spec.weights : 'now' in spec ? spec.now : undefined;
    return [spec.field ?? name].concat(beside ?? []).map((field): [string, string] => [name, field]);
  });
}

/** The raw features of users and items by their codes. */
export class FeatureRows {
  readonly #users: readonly RawFeatures[];
  readonly #items: readonly RawFeatures[];
  readonly #readsHistory: boolean;

  constructor({ users, items }: Interactions, { spec, userFields = {}, itemFields = {} }: FeatureModelData) {
    this.#readsHistory = historyLength(spec) !== undefined;
    this.#users = rowsOf(users.vocabulary, USER_FIELD, spec.queryTower, userFields);
    this.#items = rowsOf(items.vocabulary, ITEM_FIELD, spec.candidateTower, itemFields);
  }

  /** The query of a user with a history, the earliest item first. */
  query(user: number, history: readonly string[]): RawFeatures {
    const row = this.#users[user]!;
    return this.#readsHistory ? { ...row, [HISTORY_FIELD]: history } : row;
  }

  /** The features of an item. */
  candidate(item: number): RawFeatures {
    return this.#items[item]!;
  }
}

function rowsOf(
  vocabulary: readonly string[],
  identifierField: string,
  { features }: TowerSpec,
  columns: RawColumns,
): RawFeatures[] {
  const read = new Set(fieldsOf(features).map(([, field]) => field));
  const entries = Object.entries(columns).filter(([field]) => read.has(field) && field !== identifierField);
  return vocabulary.map((word, code) => {
    const values = entries.flatMap(([field, column]) =>
      column[code] === undefined || column[code] === null ? [] : [[field, column[code]] as const],
    );
    return Object.fromEntries([...(read.has(identifierField) ? [[identifierField, word] as const] : []), ...values]);
  });
}

/** The examples of interactions. @throws {ShapeError} when there is none */
export function featureExamples(
  interactions: Interactions,
  spec: FeatureModelSpec,
  rows: FeatureRows,
): RetrievalDataset<RawFeatures, RawFeatures> {
  const { users, items, weights } = interactions;
  const maxLength = historyLength(spec);
  if (maxLength === undefined) {
    return {
      queries: Array.from(users.codes, (user) => rows.query(user, [])),
      candidates: Array.from(items.codes, (item) => rows.candidate(item)),
      candidateIds: Array.from(items.codes, (item) => items.vocabulary[item]!),
      sampleWeight: weights,
    };
  }
  const { queries, candidates, sampleWeight } = checkedExamples(nextItemExamples(interactions, { maxLength }));
  const userCodes = new Map(users.vocabulary.map((word, code) => [word, code]));
  const itemCodes = new Map(items.vocabulary.map((word, code) => [word, code]));
  return {
    queries: queries.map(({ user, history }) => rows.query(userCodes.get(user)!, history)),
    candidates: candidates.map((item) => rows.candidate(itemCodes.get(item)!)),
    candidateIds: candidates,
    sampleWeight,
  };
}

/** Examples that are not empty. @throws {ShapeError} when they are */
export function checkedExamples<Q extends Features, C extends Features>(
  examples: RetrievalDataset<Q, C>,
): RetrievalDataset<Q, C> {
  if (examples.queries.length > 0) return examples;
  throw new ShapeError(
    'interactions: expected a user with two different items (three, where the epochs are chosen), got none',
  );
}

/** An exact index of the items that have at least one interaction. */
export function featureIndex<Q extends Features, C extends Features>(
  { queryTower, candidateTower }: { queryTower: Tower<Q>; candidateTower: Tower<C> },
  { items }: Interactions,
  candidateOf: (item: number) => C,
): BruteForce<Q, string> {
  const chosen = [...new Set(items.codes)].sort((a, b) => a - b);
  const index = new BruteForce<Q, string>({ queryModel: queryTower, runtime: queryTower.runtime });
  return index.index(
    candidateTower.embed(chosen.map(candidateOf)),
    chosen.map((code) => items.vocabulary[code]!),
  );
}

/** The index as a recommender. */
export function featureRecommender<Q extends Features>(
  name: string,
  index: BruteForce<Q, string>,
  { items: { vocabulary } }: Interactions,
  queryOf: (user: number, history: readonly string[]) => Q,
): ThroughIndex<Q> {
  return new ThroughIndex<Q>({
    name,
    index,
    itemVocabulary: vocabulary,
    queryOf: (user, history) =>
      queryOf(
        user,
        Array.from(history, (item) => vocabulary[item]!),
      ),
  });
}
