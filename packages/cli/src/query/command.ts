/**
 * `shortlist query BUNDLE QUERY`: prints the best candidates for a query, with the attributes that the bundle holds.
 *
 * A query is the identifier of a user, named features as JSON, or the numbers of an embedding, as the bundle needs it; or it
 * is the history of a user whom the model does not know.
 */

import { type Bundle, DataError, type Identifier, type UpdatableTopK } from 'shortlist';
import { callWithRules } from 'shortlist/rules';
import { isUpdatable } from 'shortlist/topk';
import { openBundle } from '../input/bundle.ts';
import { wholeNumberOf } from '../terminal/arguments.ts';
import { type Command, UsageError } from '../terminal/command.ts';
import { parseArguments } from '../terminal/parse-arguments.ts';
import { attributesOf, writeHits } from './hits.ts';
import { RULE_OPTIONS, rulesOf } from './rules.ts';
import { identifiersOf, type Query, searchRequestOf } from './search-request.ts';

const OPTIONS = {
  k: { type: 'string', default: '10' },
  history: { type: 'string' },
  exclude: { type: 'string' },
  'exclude-seen': { type: 'boolean' },
  ...RULE_OPTIONS,
  json: { type: 'boolean', default: false },
} as const;

/** Search a bundle. */
export const query: Command = async (argv, { stdout, stderr }) => {
  const { values, positionals } = parseArguments({
    args: [...argv],
    options: OPTIONS,
    allowPositionals: true,
    allowNegative: true,
  });
  const [path, text, ...more] = positionals;
  if (path === undefined || more.length > 0 || (text ?? values.history) === undefined) {
    throw new UsageError('query: expected a bundle and a query or --history');
  }
  const k = wholeNumberOf('k', values.k, 1);
  const bundle = await openBundle<Query>(path);
  const { index } = bundle;
  const { queries, exclude, notes } = searchRequestOf(text, values, bundle);
  for (const note of notes) stderr.write(`${note}\n`);
  const rules = rulesOf(values, bundle, (flag, list) => identifiersOf(flag, list, bundle));
  const unknownPins = rules?.pin?.filter((identifier) => !heldIndex(bundle).hasCandidate(identifier)) ?? [];
  if (unknownPins.length > 0)
    stderr.write(`--pin: ignored, because they are not in the bundle: ${unknownPins.join(', ')}\n`);
  const result = rules
    ? callWithRules(heldIndex(bundle), queries, rules, { k, exclude })
    : index.call(queries, { k, exclude });
  writeHits(result, attributesOf(bundle), { json: values.json, stdout });
  return 0;
};

/** The index of a bundle, which rules need to hold its candidates. */
function heldIndex({ index }: Bundle<Query, Identifier>): UpdatableTopK<Query, Identifier> {
  if (isUpdatable(index)) return index;
  throw new DataError('rules: expected an index that holds its candidates, got one that reads them from a file');
}
