/** The checks of options objects and of arguments (`shortlist/options`), for packages that take options of their own. Re-exports only. */

// checks
export { checkArgument, ITERABLE, WORDS } from '../checks/arguments.ts';
export { nearestName } from '../checks/nearest-name.ts';
export { checkInteger, FLOAT32_MAX } from '../checks/numbers.ts';
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
