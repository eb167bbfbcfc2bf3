/** The options of attention over a sequence: their checks and defaults. */
import { checkInteger, shown } from '../checks/numbers.ts';
import { NUMBER, optionsCheck } from '../checks/options.ts';
import { OptionError } from '../errors/errors.ts';
import type { AttentionOptions, FeatureSpec, ListFeatureSpec } from './spec.ts';

/** The shape of attention with all defaults filled in. */
export interface FilledAttention extends Required<AttentionOptions> {
  readonly maxLength: number;
}

/** SASRec's settings for sparse data, but for its dropout of 0.5, which is for many more epochs. */
const DEFAULTS: FilledAttention = { blocks: 2, heads: 1, dropout: 0.2, maxLength: 50 };
/** More blocks are a mistake: each costs as much as the first, and published models have at most a few. */
const BLOCKS_MAX = 64;
/** Options of a list that say how its elements are summed, which attention does not. */
const SUMS = ['combiner', 'weights', 'recencyDecay'] as const;

/**
 * Check the attention of a list.
 *
 * @throws {OptionError} when it is the attention of a bag, stands beside an option of sums, or a number is out of range
 */
export function checkAttention(title: string, spec: ListFeatureSpec): void {
  if (spec.attention === undefined) return;
  const name = `${title}.attention`;
  const { blocks, heads, dropout } = optionsCheck<AttentionOptions>(name, {
    blocks: NUMBER,
    heads: NUMBER,
    dropout: NUMBER,
  })(spec.attention);
  if (spec.type === 'bag') throw new OptionError(`${name}: expected none for a bag, which has no order, got one`);
  const sum = SUMS.find((option) => spec[option] !== undefined);
  if (sum) throw new OptionError(`${title}.${sum}: expected none together with attention, got ${shown(spec[sum])}`);
  if (blocks !== undefined) checkInteger(`${name}.blocks`, blocks, 1, BLOCKS_MAX);
  if (heads !== undefined) checkInteger(`${name}.heads`, heads, 1);
  if (dropout !== undefined && !(dropout >= 0 && dropout < 1)) {
    throw new OptionError(`${name}.dropout: expected a number from 0 to below 1, got ${shown(dropout)}`);
  }
}

/** The attention of a feature; undefined where its spec names none. */
export function attentionOf(spec: FeatureSpec): FilledAttention | undefined {
  if (!('attention' in spec) || spec.attention === undefined) return undefined;
  return { ...DEFAULTS, ...spec.attention, maxLength: maxLengthOf(spec) };
}

/** The most elements of a list that are kept: with attention, which has a row for each position, never all. */
export function maxLengthOf({ maxLength, attention }: ListFeatureSpec): number {
  return maxLength ?? (attention ? DEFAULTS.maxLength : Number.MAX_SAFE_INTEGER);
}
