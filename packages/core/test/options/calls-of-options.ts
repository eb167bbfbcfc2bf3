/** Valid calls of the checks of options, which packages with options of their own use. */

import type { Call } from './wrong-arguments.ts';

export const OPTION_CALLS: Readonly<Record<string, Call>> = {
  instanceOf: { arguments: () => ['a Map', () => Map] },
  objectWith: { arguments: () => ['a point', 'x', 'y'] },
  optionType: { arguments: () => ['a number', (value: unknown) => typeof value === 'number'] },
};
