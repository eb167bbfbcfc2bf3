/** The checks of options objects (`shortlist/options`), for packages that take options of their own: re-exports only. */

// checks
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
} from './checks/options.ts';
