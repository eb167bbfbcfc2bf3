/** Checks of the call arguments that all indexes share. */
import { checkInteger, shown } from '../checks/numbers.ts';
import {
  FUNCTION,
  LIST,
  NUMBER,
  type OptionsCheck,
  type OptionTypes,
  objectWith,
  optionType,
  SIGNAL,
} from '../checks/options.ts';
import { OptionError, StateError } from '../errors/errors.ts';
import type { CallOptions, Exclusions, Identifier, LongChangeOptions, TopKOptions } from './contract.ts';

/** Types of the options that every index has. */
export const TOP_K: OptionTypes<TopKOptions<never>> = {
  queryModel: objectWith('a query model, which has `embed`', 'embed'),
  k: NUMBER,
};
/** Types of the options of a call that every index has. */
export const CALL: OptionTypes<CallOptions<never>> = {
  k: NUMBER,
  exclude: LIST,
  include: LIST,
  filter: optionType('a predicate or bit words', (value) => typeof value === 'function' || isObject(value)),
};
/** Types of the options of a long change. */
export const LONG_CHANGE: OptionTypes<LongChangeOptions> = { signal: SIGNAL, onProgress: FUNCTION };

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null;
}

/**
 * The second argument of a call, k or options, as options in which k is set and checked.
 *
 * @throws {OptionError} when an option is unknown, or k is not an integer of at least 0
 */
export function callOptions<I extends Identifier, O extends CallOptions<I>>(
  k: number | O | undefined,
  defaultK: number,
  check: OptionsCheck,
): O & { k: number } {
  if (typeof k === 'object' && k !== null) {
    check(k);
    return { ...k, k: checkInteger('k', k.k ?? defaultK, 0) };
  }
  if (k !== undefined && typeof k !== 'number')
    throw new OptionError(`k: expected a number or options, got ${shown(k)}`);
  return { k: checkInteger('k', k ?? defaultK, 0) } as O & { k: number };
}

/**
 * Options of a call with exclusions added.
 *
 * @throws {OptionError} when the options exclude something themselves
 */
export function withExclusions<I extends Identifier, O extends CallOptions<I>>(
  exclusions: Exclusions<I>,
  k: number | O | undefined,
): O {
  const options = typeof k === 'object' && k !== null ? k : ({ k } as O);
  if (options.exclude !== undefined) {
    throw new OptionError('exclude: expected either the exclusions argument or this option, got both');
  }
  return { ...options, exclude: exclusions };
}

/** The error of an index that is used before it has candidates. */
export function notIndexed(): StateError {
  return new StateError('index: expected `index` or `indexFromDataset` to be called first, got no candidates yet');
}
