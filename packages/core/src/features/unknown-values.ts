/**
 * Tells whether a model knows the words of a raw value, so that a caller can report a result without training behind
 * it.
 */

import { checkArgument } from '../checks/arguments.ts';
import { objectWith } from '../checks/options.ts';
import type { Feature } from './contract.ts';
import { HashedVocabulary } from './hashed-vocabulary.ts';
import { isList } from './list.ts';

const FEATURE = objectWith('a feature of a set', 'name', 'spec');

/**
 * True where a feature learned none of the words of a value: a word or integer out of vocabulary, or a list with only such
 * elements. Texts, hashed words, empty lists and missing values are never unknown.
 */
export function isUnknownValue(feature: Feature, value: unknown): boolean {
  const { spec, vocabulary } = checkArgument('feature', feature, FEATURE);
  if (vocabulary === undefined || vocabulary instanceof HashedVocabulary || spec.type === 'text') return false;
  const isUnknown = (word: unknown): boolean =>
    (typeof word === 'string' && word !== '') || typeof word === 'number' || typeof word === 'bigint'
      ? !vocabulary.has(String(word))
      : false;
  if (!isList(value)) return isUnknown(value);
  const words = Array.from(value).filter((word) => word !== '');
  return words.length > 0 && words.every(isUnknown);
}
