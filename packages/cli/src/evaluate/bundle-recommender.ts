/** A bundle as a recommender: it is evaluated through the index that a server uses. */
import { type Bundle, DataError, type Interactions, interactionsOf, type TowerInput } from 'shortlist';
import {
  type DictionaryColumn,
  HISTORY_FIELD,
  type InteractionSplit,
  type Recommender,
  ThroughIndex,
  USER_FIELD,
} from 'shortlist/recommenders';
import { isUpdatable } from 'shortlist/topk';

/** A query of a bundle: a user, a history as an array of items, or features. */
type Query = string | readonly string[] | Readonly<Record<string, unknown>>;

/** The fields of features that interactions have. */
const OWN_FIELDS: readonly string[] = [USER_FIELD, HISTORY_FIELD];

/** The identifiers of the candidates. @throws {DataError} when queries are not users, or identifiers are not text */
export function candidatesOf(path: string, { index, queryTower }: Bundle<Query, string>): string[] {
  if (index.queryModel === undefined) {
    throw new DataError(`${path}: expected a bundle that takes users, got one of vectors without a query tower`);
  }
  const features = (queryTower?.inputs ?? []) as readonly TowerInput[];
  // Of a user, the interactions have the identifier and the history.
  const others = features.filter(({ feature, lookup }) =>
    lookup ? features.length > 1 : !OWN_FIELDS.includes(feature.field) && feature.spec.missing !== 'own',
  );
  if (others.length > 0) {
    const names = others.map(({ name }) => name).join(', ');
    throw new DataError(`${path}: expected a bundle that takes users or histories alone, got features ${names}`);
  }
  const identifiers = isUpdatable(index) ? index.identifiers : undefined;
  if (identifiers?.columnType !== 'string') {
    throw new DataError(`${path}: expected candidates with identifiers that are text, got identifiers of another type`);
  }
  return Array.from({ length: identifiers.size }, (_, row) => identifiers.of(row));
}

/** The index of a bundle as a recommender for users. Implicit ALS uses the history of a user whom it does not know. */
export function bundleRecommender(
  name: string,
  { index, foldIn, queryTower }: Bundle<Query, string>,
  { users, items }: Pick<Interactions, 'users' | 'items'>,
): Recommender {
  const known = foldIn?.parts.users;
  const fields = queryTower?.features?.fields;
  const isKnown = (user: string): boolean => known === undefined || known.has(user);
  return new ThroughIndex<Query>({
    name,
    index,
    itemVocabulary: items.vocabulary,
    queryOf: (user, history) => {
      const word = users.vocabulary[user]!;
      if (fields)
        return featuresOf(
          fields,
          word,
          Array.from(history, (item) => items.vocabulary[item]!),
        );
      return isKnown(word) || history.length === 0 ? word : Array.from(history, (item) => items.vocabulary[item]!);
    },
  });
}

function featuresOf(fields: readonly string[], user: string, history: readonly string[]): Query {
  const own = { [USER_FIELD]: user, [HISTORY_FIELD]: history };
  return Object.fromEntries(Object.entries(own).filter(([field]) => fields.includes(field)));
}

/** A split of two parts over shared vocabularies. The items are the candidates, then the items that only the parts have. */
export function splitOf(candidates: readonly string[], train: Interactions, test: Interactions): InteractionSplit {
  const users = new Vocabulary([]);
  const items = new Vocabulary(candidates);
  const translated = [train, test].map((part) => ({
    ...part,
    users: { codes: users.codesOf(part.users), vocabulary: users.words },
    items: { codes: items.codesOf(part.items), vocabulary: items.words },
  }));
  return { train: interactionsOf(translated[0]!), test: interactionsOf(translated[1]!) };
}

/** A vocabulary that grows: each new word gets the next code. */
class Vocabulary {
  readonly words: string[];
  readonly #codes: Map<string, number>;

  constructor(words: readonly string[]) {
    this.words = [...words];
    this.#codes = new Map(words.map((word, code) => [word, code]));
  }

  codesOf({ codes, vocabulary }: DictionaryColumn): Int32Array {
    const codeOf = Int32Array.from(vocabulary, (word) => {
      let code = this.#codes.get(word);
      if (code === undefined) {
        code = this.words.length;
        this.#codes.set(word, code);
        this.words.push(word);
      }
      return code;
    });
    return codes.map((code) => codeOf[code]!);
  }
}
