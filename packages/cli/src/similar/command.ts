/**
 * `shortlist similar BUNDLE ID [ID…]`: prints the candidates most similar to one candidate, to several or to a vector, with the
 * attributes that the bundle holds.
 */

import { type Bundle, DataError, type Identifier, Matrix, type TopKResult, type UpdatableTopK } from 'shortlist';
import { nearestName } from 'shortlist/options';
import { bySimilarity, callWithRules } from 'shortlist/rules';
import { isUpdatable, searchSimilar, similarityVector } from 'shortlist/topk';
import { openBundle } from '../input/bundle.ts';
import { type AttributeColumns, attributesOf, writeHits } from '../query/hits.ts';
import { RULE_OPTIONS, rulesOf } from '../query/rules.ts';
import { identifierOf, identifiersOf, type Query, vectorOf } from '../query/search-request.ts';
import { wholeNumberOf } from '../terminal/arguments.ts';
import { type Command, UsageError } from '../terminal/command.ts';
import { parseArguments } from '../terminal/parse-arguments.ts';

const OPTIONS = {
  k: { type: 'string', default: '10' },
  vector: { type: 'string' },
  exclude: { type: 'string' },
  include: { type: 'string' },
  ...RULE_OPTIONS,
  json: { type: 'boolean', default: false },
} as const;

/** The most candidates whose names are compared with an unknown word; more would take longer than a second. */
const NAMES_MAX = 200_000;
const DIGITS = /^-?\d+$/;

type Index = UpdatableTopK<Query, Identifier> & Bundle<Query, Identifier>['index'];
/** The titles of the rows; undefined if the bundle has none. */
type Titles = AttributeColumns[number][1] | undefined;

/** Find similar candidates. */
export const similar: Command = async (argv, { stdout, stderr }) => {
  const { values, positionals } = parseArguments({ args: [...argv], options: OPTIONS, allowPositionals: true });
  const [path, ...words] = positionals;
  if (path === undefined || (words.length === 0) === (values.vector === undefined)) {
    throw new UsageError('similar: expected a bundle and either identifiers of candidates or --vector');
  }
  const k = wholeNumberOf('k', values.k, 1);
  const bundle = await openBundle<Query>(path);
  const { index } = bundle;
  if (!isUpdatable(index))
    throw new DataError(`${path}: expected an index that holds its candidates, got one that reads them from a file`);
  const columns = attributesOf(bundle);
  const [, titles] = columns.find(([name]) => /title|name/i.test(name)) ?? [];
  const { dimensions } = index;
  const to =
    values.vector === undefined
      ? words.map((word) => candidateOf(word, index, titles))
      : { vector: vectorOf(values.vector, dimensions, `--vector: expected ${dimensions} numbers with commas`) };
  const candidates = Array.isArray(to) ? to : [];
  const listOf = (flag: string, list: string | undefined): Identifier[] | undefined =>
    list === undefined ? undefined : identifiersOf(flag, list, bundle);
  const exclude = [...candidates, ...(listOf('--exclude', values.exclude) ?? [])];
  const options = { k, exclude, include: listOf('--include', values.include) };
  const rules = rulesOf(values, bundle, (flag, list) => identifiersOf(flag, list, bundle));
  if (titles) for (const id of candidates) stderr.write(`similar to ${id}: ${titleOf(id, index, titles)}\n`);
  const strangers = rules?.pin?.filter((identifier) => !index.hasCandidate(identifier)) ?? [];
  if (strangers.length > 0) stderr.write(`--pin: not in the bundle and ignored: ${strangers.join(', ')}\n`);
  const vector = new Matrix(1, dimensions);
  vector.data.set(similarityVector(index, to));
  const result: TopKResult<Identifier> = rules
    ? callWithRules(bySimilarity(index), vector, rules, options)
    : searchSimilar(index, vector, options);
  writeHits(result, columns, { json: values.json, stdout });
  return 0;
};

/** The candidate with an identifier. @throws {DataError} when there is none, naming the nearest title or identifier */
function candidateOf(word: string, index: Index, titles: Titles): Identifier {
  const isText = index.identifiers?.columnType === 'string';
  const identifier = isText || DIGITS.test(word) ? identifierOf('ID', word, { index }) : undefined;
  if (identifier !== undefined && index.hasCandidate(identifier)) return identifier;
  const hint = nearestHint(word, index, titles);
  throw new DataError(`ID: expected the identifier of a candidate, got ${JSON.stringify(word)}${hint}`);
}

/** A hint that names the candidate whose title, or else whose identifier, is nearest to a word. */
function nearestHint(word: string, { identifiers }: Index, titles: Titles): string {
  if (!identifiers || identifiers.size > NAMES_MAX || DIGITS.test(word)) return '';
  const names = Array.from(titles ?? [], (title) => (typeof title === 'string' ? title : ''));
  const title = nearestName(word, names);
  if (title) return `; ${JSON.stringify(title)} has the identifier ${identifiers.of(names.indexOf(title))}`;
  const ids = Array.from({ length: identifiers.size }, (_, row) => String(identifiers.of(row)));
  const near = nearestName(word, ids);
  return near === undefined ? '' : `; did you mean ${JSON.stringify(near)}?`;
}

function titleOf(id: Identifier, { identifiers }: Index, titles: NonNullable<Titles>): string {
  const found: string[] = [];
  identifiers!.forEachRow(id, (row) => found.push(String(titles[row] ?? 'no title')));
  return found[0]!;
}
