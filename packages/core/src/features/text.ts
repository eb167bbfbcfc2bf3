/** Features of one text per row, as the bag of its tokens. */
import type { BagColumn, Vocabulary } from './contract.ts';
import type { FeatureKind } from './kind.ts';
import { isMissing, type Values } from './mismatches.ts';
import type { TextFeatureSpec } from './spec.ts';
import { tokensOf } from './tokens.ts';

/** A text per row. */
export const TEXT: FeatureKind<TextFeatureSpec> = {
  hasWords: true,
  besideField: () => undefined,
  learner: (spec, { countWord }) => ({
    add: (values) => visitTexts(spec, values, (_, tokens) => tokens.forEach(countWord)),
    finish: () => ({}),
  }),
  encoder: (spec, _, vocabulary) => ({
    column: 'bags',
    vocabularySize: vocabulary!.size,
    dimensions: 0,
    combiner: spec.combiner ?? 'mean',
    encode: (values) => encodeTexts(spec, values, vocabulary!),
  }),
  load: () => ({}),
};

function encodeTexts(spec: TextFeatureSpec, values: Values, vocabulary: Vocabulary): BagColumn {
  const rows = values.values.length;
  const offsets = new Int32Array(rows + 1);
  const ids: number[] = [];
  const { maxLength = Number.MAX_SAFE_INTEGER } = spec;
  let reached = 0;
  visitTexts(spec, values, (row, tokens) => {
    offsets.fill(ids.length, reached + 1, row + 1);
    const limit = ids.length + maxLength;
    for (let i = 0; i < tokens.length && ids.length < limit; i++) {
      const id = vocabulary.idOf(tokens[i]!);
      if (id >= 0) ids.push(id);
    }
    reached = row;
  });
  offsets.fill(ids.length, reached + 1, rows + 1);
  return { kind: 'bags', offsets, ids: Int32Array.from(ids), weights: undefined };
}

/** Visit the tokens of each text that fits. */
function visitTexts(
  { missing = 'error', ngrams = 1, characterNgrams }: TextFeatureSpec,
  { values, mismatch }: Values,
  visit: (row: number, tokens: readonly string[]) => void,
): void {
  for (let row = 0; row < values.length; row++) {
    const text = values[row];
    if (isMissing(text) && missing === 'own') continue;
    if (typeof text !== 'string') mismatch(row, 'a text', text);
    else visit(row, tokensOf(text, { ngrams, characterNgrams }));
  }
}
