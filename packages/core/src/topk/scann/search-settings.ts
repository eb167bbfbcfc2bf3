/** The settings of calls that may change after the build: defaults for calls that do not set them. */
import { checkInteger, checkNumber } from '../../checks/numbers.ts';
import { NUMBER, optionsCheck, optionType } from '../../checks/options.ts';
import { OptionError } from '../../errors/errors.ts';
import type { ScannOptions } from './options.ts';
import type { ScannSettings } from './settings.ts';

/** Settings that `tune` finds, under the names of the options of `ScaNN`. */
export type SearchSettings = Pick<
  ScannOptions<never>,
  'numLeavesToSearch' | 'numReorderingCandidates' | 'groupBound' | 'tunedK'
>;

const checkOptions = optionsCheck<SearchSettings>('ScaNN.setSearchSettings', {
  numLeavesToSearch: NUMBER,
  numReorderingCandidates: NUMBER,
  tunedK: NUMBER,
  groupBound: optionType(
    "a number, 'auto' or false",
    (value) => typeof value === 'number' || value === 'auto' || value === false,
  ),
});

/**
 * The settings of an index with the given ones replaced; a setting that is not given keeps its value.
 *
 * @throws {OptionError} when a setting is unknown or out of range
 */
export function withSearchSettings(settings: ScannSettings, given: SearchSettings): ScannSettings {
  checkOptions(given);
  const { numLeavesToSearch, numReorderingCandidates, groupBound, tunedK } = given;
  if (numLeavesToSearch !== undefined) checkInteger('numLeavesToSearch', numLeavesToSearch, 1);
  if (numReorderingCandidates !== undefined) {
    if (settings.reorder === false) {
      throw new OptionError('numReorderingCandidates: expected an index that keeps rows, got one with reorder false');
    }
    checkInteger('numReorderingCandidates', numReorderingCandidates, settings.k);
  }
  if (tunedK !== undefined) checkInteger('tunedK', tunedK, 1);
  if (typeof groupBound === 'number') checkNumber('groupBound', groupBound, 0);
  const changed = Object.entries(given).filter(([, value]) => value !== undefined);
  return { ...settings, ...Object.fromEntries(changed) };
}
