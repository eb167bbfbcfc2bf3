/** Features of one text per row, as the bag of its tokens. */
import { BagBuilder } from './bag-builder.ts';
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
  const { maxLength = Number.MAX_SAFE_INTEGER } = spec;
  const bags = new BagBuilder(values.values.length, false);
  visitTexts(spec, values, (row, tokens) => {
    bags.beginRow(row);
    let kept = 0;
    for (let i = 0; i < tokens.length && kept < maxLength; i++) {
      const id = vocabulary.idOf(tokens[i]!);
      if (id < 0) continue;
      bags.add(id);
      kept++;
    }
  });
  return bags.finish();
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
