/** The rules of a query from the command line: `--per-value`, `--mmr`, `--score-threshold`, `--pin`, `--block`. */
import type { Bundle, Identifier } from 'shortlist';
import type { CandidateAttributes, MmrOptions, Rules } from 'shortlist/rules';
import { numberOf, wholeNumberOf } from '../terminal/arguments.ts';
import { UsageError } from '../terminal/command.ts';

/** The options of rules, for `parseArgs`. */
export const RULE_OPTIONS = {
  'per-value': { type: 'string', multiple: true },
  mmr: { type: 'string' },
  'mmr-candidates': { type: 'string' },
  'score-threshold': { type: 'string' },
  pin: { type: 'string' },
  block: { type: 'string' },
} as const;

/** The values of these options, as `parseArgs` returns them. */
export interface RuleValues {
  readonly 'per-value'?: readonly string[] | undefined;
  readonly mmr?: string | undefined;
  readonly 'mmr-candidates'?: string | undefined;
  readonly 'score-threshold'?: string | undefined;
  readonly pin?: string | undefined;
  readonly block?: string | undefined;
}

/**
 * The rules that the options give; undefined if they give none.
 *
 * @param identifiersOf parses the identifiers in the value of an option
 * @throws {UsageError} when the value of an option is wrong
 */
export function rulesOf(
  values: RuleValues,
  { metadata }: Pick<Bundle<never, Identifier>, 'metadata'>,
  identifiersOf: (flag: string, list: string) => Identifier[],
): Rules<Identifier> | undefined {
  const rules: Rules<Identifier> = {};
  if (values['per-value']) {
    rules.perValue = Object.fromEntries(values['per-value'].map(limitOf));
    const { attributes } = metadata;
    const isObject = typeof attributes === 'object' && attributes !== null && !Array.isArray(attributes);
    rules.attributes = isObject ? (attributes as CandidateAttributes) : {};
  }
  if (values.mmr !== undefined) rules.mmr = mmrOf(values.mmr, values['mmr-candidates']);
  else if (values['mmr-candidates'] !== undefined) throw new UsageError('--mmr-candidates: expected --mmr, too');
  if (values['score-threshold'] !== undefined) {
    const most = Number.MAX_VALUE;
    rules.scoreThreshold = numberOf('score-threshold', values['score-threshold'], -most, most);
  }
  if (values.pin !== undefined) rules.pin = identifiersOf('--pin', values.pin);
  if (values.block !== undefined) rules.block = identifiersOf('--block', values.block);
  return Object.keys(rules).length === 0 ? undefined : rules;
}

function mmrOf(weight: string, candidates: string | undefined): MmrOptions {
  return {
    weight: numberOf('mmr', weight, 0, 1),
    ...(candidates !== undefined && { candidates: wholeNumberOf('mmr-candidates', candidates, 1) }),
  };
}

/** Parses `genre=3` into an attribute and a number. */
function limitOf(text: string): [string, number] {
  const at = text.lastIndexOf('=');
  if (at < 1) throw new UsageError(`--per-value: expected ATTRIBUTE=N such as genre=3, got ${JSON.stringify(text)}`);
  return [text.slice(0, at), wholeNumberOf('per-value', text.slice(at + 1), 1)];
}
