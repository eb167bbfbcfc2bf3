/** The rows of interactions that a model learns from: all of implicit feedback, the likes of explicit feedback. */
import type { EncodedColumn, SelectedInteractions } from './interaction-table.ts';
import type { ReadInteractions } from './read-interactions.ts';

/**
 * The rows that were read, of which a like that is only proposed leaves those with at least its value. The vocabularies hold
 * what these rows have: who liked nothing has no code.
 */
export function likedRows({ table, inferred }: ReadInteractions): SelectedInteractions {
  const { proposedLeast } = inferred;
  const { values } = table;
  if (proposedLeast === undefined || values === undefined) return table.select();
  const liked = table.select((row) => values.at(row) >= proposedLeast);
  return { ...liked, users: withoutUnused(liked.users), items: withoutUnused(liked.items) };
}

/** The same words; those that stand in no row are left out of the vocabulary. */
function withoutUnused({ codes, vocabulary }: EncodedColumn): EncodedColumn {
  const isUsed = new Uint8Array(vocabulary.length);
  for (const code of codes) isUsed[code] = 1;
  const codeOf = new Int32Array(vocabulary.length);
  let used = 0;
  for (let code = 0; code < vocabulary.length; code++) if (isUsed[code]) codeOf[code] = used++;
  return {
    codes: codes.map((code) => codeOf[code]!),
    vocabulary: vocabulary.filter((_, code) => isUsed[code]),
  };
}
