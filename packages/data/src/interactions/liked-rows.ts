/** Selects the rows that a model is trained on: all rows of implicit feedback, the likes of explicit feedback. */
import { checkArgument } from 'shortlist/options';
import type { EncodedColumn, SelectedInteractions } from './interaction-table.ts';
import { READ, type ReadInteractions } from './read-interactions.ts';

/**
 * The rows to train on. If the condition of a like was inferred, these are the rows that fulfil it; otherwise all rows that
 * were read. The vocabularies hold only the users and items of these rows.
 */
export function likedRows(read: ReadInteractions): SelectedInteractions {
  const { table, inferred } = checkArgument('interactions', read, READ);
  const { proposedLeast } = inferred;
  const { values } = table;
  if (proposedLeast === undefined || values === undefined) return table.select();
  const liked = table.select((row) => values.at(row) >= proposedLeast);
  return { ...liked, users: withoutUnused(liked.users), items: withoutUnused(liked.items) };
}

/** The same column without unused words in its vocabulary. */
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
