/** Features of one word or integer per row. An integer stands in the vocabulary as its decimal digits. */
import type { Vocabulary } from './contract.ts';
import type { FeatureKind } from './kind.ts';
import { isMissing, type Values } from './mismatches.ts';
import type { CategoricalFeatureSpec } from './spec.ts';

/** The word of a raw value; undefined where it is of another type. */
export type WordOf = (value: unknown) => string | undefined;

/** For each type of value, the function that gives its word: a string is its own word, an integer is its digits. */
export const WORD_OF: Readonly<Record<'string' | 'integer', WordOf>> = {
  string: (value) => (typeof value === 'string' ? value : undefined),
  integer: (value) => (typeof value === 'bigint' || Number.isSafeInteger(value) ? String(value) : undefined),
};

/** The text after "expected" in the message about a value of another type. */
export const EXPECTED_WORD = { string: 'a string', integer: 'an integer' } as const;

/** A word or an integer per row. */
export const CATEGORICAL: FeatureKind<CategoricalFeatureSpec> = {
  hasWords: true,
  besideField: () => undefined,
  learner: (spec, { countWord }) => ({
    add: (values) => visitWords(spec, values, (_, word) => countWord(word ?? '')),
    finish: () => ({}),
  }),
  encoder: (spec, _, vocabulary) => ({
    column: 'ids',
    vocabularySize: vocabulary!.size,
    dimensions: 0,
    combiner: 'sum',
    encode: (values) => ({ kind: 'ids', ids: idsOf(spec, values, vocabulary!) }),
  }),
  load: () => ({}),
};

function idsOf(spec: CategoricalFeatureSpec, values: Values, vocabulary: Vocabulary): Int32Array {
  const ids = new Int32Array(values.values.length);
  visitWords(spec, values, (row, word) => {
    const id = word === undefined ? vocabulary.missingId! : vocabulary.idOf(word);
    if (id < 0) values.mismatch(row, 'a word of the vocabulary (numOovIndices is 0)', word);
    ids[row] = Math.max(0, id);
  });
  return ids;
}

/** Visit each value that fits; the word of a missing value is undefined. */
function visitWords(
  { type, missing = 'error' }: CategoricalFeatureSpec,
  { values, mismatch }: Values,
  visit: (row: number, word: string | undefined) => void,
): void {
  const wordOf = WORD_OF[type];
  for (let row = 0; row < values.length; row++) {
    const value = values[row];
    if (isMissing(value) && missing === 'own') {
      visit(row, undefined);
      continue;
    }
    const word = wordOf(value);
    if (word === undefined) mismatch(row, EXPECTED_WORD[type], value);
    else visit(row, word);
  }
}
