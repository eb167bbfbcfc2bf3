/**
 * `shortlist query BUNDLE QUERY`: the best candidates for a query, with the attributes that the bundle holds.
 *
 * A query is what the bundle was made for: the identifier of a user, named features as JSON, a history of items (implicit
 * ALS), or the numbers of an embedding.
 */
import { parseArgs } from 'node:util';
import { type Bundle, DataError, type Identifier } from 'shortlist';
import { isUpdatable } from 'shortlist/topk';
import { openBundle } from '../input/bundle.ts';
import { type Command, UsageError } from '../terminal/command.ts';
import { count, table } from '../terminal/figures.ts';

const OPTIONS = {
  k: { type: 'string', default: '10' },
  history: { type: 'string' },
  exclude: { type: 'string' },
  'exclude-seen': { type: 'boolean' },
  json: { type: 'boolean', default: false },
} as const;

/** Raw features, a history, or an embedding. */
type Query = string | Readonly<Record<string, string>> | readonly string[] | readonly number[];
type Value = string | number | boolean | null;

/** Ask a bundle. */
export const query: Command = async (argv, { stdout, stderr }) => {
  const { values, positionals } = parseArgs({
    args: [...argv],
    options: OPTIONS,
    allowPositionals: true,
    allowNegative: true,
  });
  const [path, text, ...more] = positionals;
  if (path === undefined || more.length > 0 || (text === undefined) === (values.history === undefined)) {
    throw new UsageError('query: expected a bundle and either a query or --history');
  }
  const k = Number(values.k);
  if (!Number.isInteger(k) || k < 1)
    throw new UsageError(`--k: expected a whole number, got ${JSON.stringify(values.k)}`);
  const bundle = await openBundle<Query>(path);
  const { index } = bundle;
  const asked = values.history === undefined ? readQuery(text!, bundle) : historyOf(values.history, bundle);
  if (isUnknown(asked, bundle)) {
    stderr.write(`${JSON.stringify(text)} is not known to the model: this is what it answers to anybody unknown\n`);
  }
  const seen = seenBy(asked, bundle, values['exclude-seen']);
  if (seen.length > 0) stderr.write(`${count(seen.length)} items that the user has seen are left out\n`);
  const excluded = (values.exclude?.split(',') ?? []).map((word) => identifierOf(word, bundle));
  const result = index.call([asked], { k, exclude: [...excluded, ...seen] });
  const columns = attributesOf(bundle);
  const rows = result.rowsOf();
  const hits = result.hits().map(({ identifier, score }, i) => ({
    identifier: typeof identifier === 'bigint' ? String(identifier) : identifier,
    score,
    attributes: Object.fromEntries(columns.map(([name, cells]) => [name, cells[rows[i]!] ?? null])),
  }));
  if (values.json) {
    for (const hit of hits) stdout.write(`${JSON.stringify(hit)}\n`);
    return 0;
  }
  const head = ['', 'identifier', 'score', ...columns.map(([name]) => name)];
  const body = hits.map(({ identifier, score, attributes }, i) => [
    String(i + 1),
    String(identifier),
    score.toFixed(4),
    ...columns.map(([name]) => short(attributes[name] ?? null)),
  ]);
  for (const line of table([head, ...body])) stdout.write(`${line}\n`);
  return 0;
};

function readQuery(text: string, { index }: Bundle<Query, Identifier>): Query {
  if (index.queryModel === undefined) {
    const numbers = text
      .split(/[\s,]+/)
      .filter((word) => word !== '')
      .map(Number);
    if (numbers.length !== index.dimensions || !numbers.every(Number.isFinite)) {
      throw new DataError(
        `query: expected an embedding, ${index.dimensions} numbers with commas, as the bundle has no query tower; got ` +
          (numbers.some(Number.isNaN) ? JSON.stringify(text.slice(0, 40)) : `${numbers.length} numbers`),
      );
    }
    return numbers;
  }
  if (!text.trim().startsWith('{')) return text;
  try {
    return JSON.parse(text) as Record<string, string>;
  } catch {
    throw new DataError(`query: expected features as JSON, got ${JSON.stringify(text.slice(0, 40))}`);
  }
}

function historyOf(text: string, { foldIn }: Bundle<Query, Identifier>): readonly string[] {
  if (foldIn === undefined)
    throw new DataError('--history: expected a bundle of implicit ALS, got another; ask it with a query');
  return text.split(',');
}

/** What the user of a query has seen, where that is to be left out. */
function seenBy(asked: Query, { seenItems }: Bundle<Query, Identifier>, exclude: boolean | undefined): Identifier[] {
  if (!seenItems) {
    if (exclude)
      throw new DataError('--exclude-seen: expected a bundle that holds what users have seen, got one without');
    return [];
  }
  const user = seenItems.userOf(asked);
  if (exclude && user === undefined) {
    throw new DataError('--exclude-seen: expected a query that names its user, got one that names none');
  }
  return user !== undefined && (exclude ?? seenItems.excludeSeen) ? seenItems.itemsOf(user) : [];
}

/** An identifier as the index holds it. */
function identifierOf(word: string, { index }: Bundle<Query, Identifier>): Identifier {
  const type = isUpdatable(index) ? index.identifiers?.columnType : 'string';
  if (type === 'string') return word;
  const number = word.trim() === '' ? Number.NaN : Number(word);
  if (type === 'number' && Number.isFinite(number)) return number;
  if (type === 'bigint' && /^-?\d+$/.test(word)) return BigInt(word);
  throw new DataError(
    `--exclude: expected identifiers that are ${type}s as in the bundle, got ${JSON.stringify(word)}`,
  );
}

/** True where no part of the query is in a vocabulary of the model. */
function isUnknown(asked: Query, { foldIn, queryTower }: Bundle<Query, Identifier>): boolean {
  if (foldIn !== undefined) return typeof asked === 'string' && !foldIn.parts.users.vocabulary.includes(asked);
  if (queryTower === undefined || typeof asked !== 'string') return false;
  // Row 0 of each lookup is the one of unknown words.
  return queryTower.encode([asked as never]).every((row) => row === 0);
}

/** The columns of attributes that the bundle has, one value a candidate; the name of an item first. */
function attributesOf({ metadata, index }: Bundle<Query, Identifier>): [string, readonly Value[]][] {
  const { attributes } = metadata;
  if (typeof attributes !== 'object' || attributes === null || Array.isArray(attributes)) return [];
  const columns = Object.entries(attributes).filter((entry): entry is [string, Value[]] => {
    const [, cells] = entry;
    return Array.isArray(cells) && cells.length === index.size;
  });
  const isTitle = (name: string): number => (/title|name/i.test(name) ? 0 : 1);
  return columns.sort(([a], [b]) => isTitle(a) - isTitle(b));
}

function short(value: Value): string {
  const text = value === null ? '' : String(value);
  return text.length > 40 ? `${text.slice(0, 39)}…` : text;
}
