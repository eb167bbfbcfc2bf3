/** The checks of options objects (`shortlist/options`), for packages that take options of their own. Re-exports only. */

// checks
export { nearestName } from '../checks/nearest-name.ts';
export { FLOAT32_MAX } from '../checks/numbers.ts';
export {
  ANY,
  BOOLEAN,
  FUNCTION,
  instanceOf,
  LIST,
  NUMBER,
  OBJECT,
  type OptionsCheck,
  type OptionType,
  type OptionTypes,
  objectWith,
  optionsCheck,
  optionType,
  required,
  SIGNAL,
  STRING,
} from '../checks/options.ts';
export type { OnWarning } from '../checks/warning.ts';
