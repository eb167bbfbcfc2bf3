/**
 * Features of a list of words or integers per row: bags without order, and sequences with their oldest element first.
 *
 * The weight of an element is its given weight times recencyDecayʲ, where j is the number of elements after it. Padding
 * is left out, because TensorFlow pads lists: empty strings, and the integer 0 where the vocabulary does not have it.
 */
import { shown } from '../checks/numbers.ts';
import { maxLengthOf } from './attention.ts';
import { BagBuilder } from './bag-builder.ts';
import { EXPECTED_WORD, WORD_OF } from './categorical.ts';
import type { BagColumn, Vocabulary } from './contract.ts';
import { HashedVocabulary } from './hashed-vocabulary.ts';
import type { FeatureKind } from './kind.ts';
import { isMissing, type Values } from './mismatches.ts';
import type { ListFeatureSpec } from './spec.ts';

/** A list of words or integers per row. */
export const LIST_KIND: FeatureKind<ListFeatureSpec> = {
  hasWords: true,
  besideField: ({ weights }) => weights,
  learner: (spec, { countWord }) => ({
    add: (values) => visitLists(spec, values, undefined, (_, words) => words.forEach(countWord)),
    finish: () => ({}),
  }),
  encoder: (spec, _, vocabulary) => ({
    column: 'bags',
    vocabularySize: vocabulary!.size,
    dimensions: 0,
    combiner: spec.combiner ?? 'mean',
    encode: (values) => encodeLists(spec, values, vocabulary!),
  }),
  load: () => ({}),
};

function encodeLists(spec: ListFeatureSpec, values: Values, vocabulary: Vocabulary): BagColumn {
  const { recencyDecay = 1 } = spec;
  const isWeighted = recencyDecay !== 1 || spec.weights !== undefined;
  const bags = new BagBuilder(values.values.length, isWeighted);
  visitLists(spec, values, vocabulary, (row, words, given) => {
    bags.beginRow(row);
    words.forEach((word, i) => {
      bags.add(vocabulary.idOf(word), (given?.[i] ?? 1) * recencyDecay ** (words.length - 1 - i));
    });
  });
  return bags.finish();
}

/**
 * Visit the kept words of each list that fits, with their weights.
 *
 * @param vocabulary undefined while it is learned: every word but the empty one is kept then
 */
function visitLists(
  spec: ListFeatureSpec,
  values: Values,
  vocabulary: Vocabulary | undefined,
  visit: (row: number, words: readonly string[], weights: readonly number[] | undefined) => void,
): void {
  const { of = 'string', missing = 'error' } = spec;
  const maxLength = maxLengthOf(spec);
  const keepsLast = (spec.keep ?? (spec.type === 'sequence' ? 'last' : 'first')) === 'last';
  const isKept = keptBy(of, vocabulary);
  for (let row = 0; row < values.values.length; row++) {
    const list = values.values[row];
    if (isMissing(list) && missing === 'own') continue;
    if (!isList(list)) {
      values.mismatch(row, `a list of ${of}s`, list);
      continue;
    }
    const words = wordsOf(list, of, row, values);
    const weights = spec.weights === undefined ? undefined : weightsOf(list.length, row, values);
    if (words === undefined || (spec.weights !== undefined && weights === undefined)) continue;
    const kept = words.flatMap((word, i) => (isKept(word) ? [i] : []));
    const cut = keepsLast ? kept.slice(-maxLength) : kept.slice(0, maxLength);
    visit(
      row,
      cut.map((i) => words[i]!),
      weights && cut.map((i) => weights[i]!),
    );
  }
}

function keptBy(of: 'string' | 'integer', vocabulary: Vocabulary | undefined): (word: string) => boolean {
  // A hashed vocabulary has no words, so 0 counts as an integer like any other.
  const zeroIsPadding =
    of === 'integer' && vocabulary !== undefined && !(vocabulary instanceof HashedVocabulary) && !vocabulary.has('0');
  return (word) => {
    if (word === '' || (zeroIsPadding && word === '0')) return false;
    return vocabulary === undefined || vocabulary.idOf(word) >= 0;
  };
}

function wordsOf(
  list: ArrayLike<unknown>,
  of: 'string' | 'integer',
  row: number,
  values: Values,
): string[] | undefined {
  const words: string[] = [];
  for (let i = 0; i < list.length; i++) {
    const word = WORD_OF[of](list[i]);
    if (word === undefined) {
      values.mismatch(row, `${EXPECTED_WORD[of]} at position ${i} of the list`, list[i]);
      return undefined;
    }
    words.push(word);
  }
  return words;
}

function weightsOf(length: number, row: number, values: Values): number[] | undefined {
  const given = values.beside?.[row];
  if (!isList(given) || given.length !== length) {
    values.mismatch(row, `a list of ${length} weights`, given);
    return undefined;
  }
  const weights = Array.from(given);
  const wrong = weights.find((weight) => typeof weight !== 'number' || !Number.isFinite(weight) || weight < 0);
  if (wrong !== undefined) {
    values.mismatch(row, `weights of at least 0, not ${shown(wrong)}`, given);
    return undefined;
  }
  return weights as number[];
}

/** True for an array or a typed array; false for a string. */
export function isList(value: unknown): value is ArrayLike<unknown> {
  return Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof DataView));
}
