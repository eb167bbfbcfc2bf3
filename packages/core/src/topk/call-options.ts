/** The arguments of a call, resolved the same way by every index. */
import { checkInteger, shown } from '../checks/numbers.ts';
import { OptionError, StateError } from '../errors/errors.ts';
import type { CallOptions, Exclusions, Identifier } from './contract.ts';

/**
 * `k` or options of a call as options, k checked and present.
 *
 * @throws {OptionError} when k is not an integer of at least 0
 */
export function callOptions<I extends Identifier, O extends CallOptions<I>>(
  k: number | O | undefined,
  defaultK: number,
): O & { k: number } {
  if (typeof k === 'object' && k !== null) return { ...k, k: checkInteger('k', k.k ?? defaultK, 0) };
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
  const options = typeof k === 'object' ? k : ({ k } as O);
  if (options.exclude !== undefined) {
    throw new OptionError('exclude: expected either the exclusions argument or this option, got both');
  }
  return { ...options, exclude: exclusions };
}

/** What an index says when it is asked before it has candidates. */
export function notIndexed(): StateError {
  return new StateError('index: expected `index` or `indexFromDataset` to be called first, got no candidates yet');
}
