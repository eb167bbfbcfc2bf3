/**
 * Starts a fit from an earlier model: from its vocabularies, to which new words are added, and from its rows of
 * embeddings.
 *
 * The words of the earlier model come first, in its order. Words without an interaction keep their rows.
 */
import type { FoldIn } from '../als/fold-in.ts';
import type { DictionaryColumn, Interactions } from '../data/interactions.ts';
import { FullTable } from '../embeddings/full.ts';
import type { StringLookup } from '../embeddings/string-lookup.ts';
import { OptionError } from '../errors/errors.ts';
import type { Tower } from '../towers/tower.ts';
import type { ModelKind } from './trial.ts';

/** The parts of an earlier model, from its bundle. */
export interface EarlierModel {
  readonly foldIn?: FoldIn | undefined;
  readonly queryTower?: Tower | undefined;
  readonly candidateTower?: Tower | undefined;
}

/** The lookups of users and items. @throws {OptionError} when the earlier model is of another kind */
export function earlierLookups(kind: ModelKind, { foldIn, queryTower, candidateTower }: EarlierModel): StringLookup[] {
  if (kind === 'als' && foldIn) return [foldIn.parts.users, foldIn.parts.items];
  const towers = [queryTower, candidateTower];
  const lookups = towers.flatMap((tower) => (tower?.inputs.length === 1 ? [tower.inputs[0]!.lookup] : []));
  if (kind === 'two-tower' && lookups.length === 2) return lookups;
  const [wanted, found] = [
    kind === 'als' ? 'a fold-in of implicit ALS' : 'two towers of one feature each',
    foldIn ? 'a fold-in' : `${lookups.length} such towers`,
  ];
  throw new OptionError(`from: expected ${wanted}, got ${found}`);
}

/** The same rows, with the words of an earlier model first in the vocabularies. */
export function withEarlierWords(interactions: Interactions, [users, items]: readonly StringLookup[]): Interactions {
  return {
    ...interactions,
    users: withWords(users!.vocabulary, interactions.users),
    items: withWords(items!.vocabulary, interactions.items),
  };
}

function withWords(first: readonly string[], { codes, vocabulary }: DictionaryColumn): DictionaryColumn {
  const codeOf = new Map(first.map((word, code) => [word, code]));
  for (const word of vocabulary) if (!codeOf.has(word)) codeOf.set(word, codeOf.size);
  const translated = Int32Array.from(vocabulary, (word) => codeOf.get(word)!);
  return { codes: codes.map((code) => translated[code]!), vocabulary: [...codeOf.keys()] };
}

/**
 * Copy the rows of the words that both towers know, and the row of unknown words.
 *
 * @throws {OptionError} when the towers have tables of another width, or compressed ones
 */
export function copyKnownRows(from: Tower, to: Tower): void {
  const [source, target] = [from.inputs[0]!, to.inputs[0]!];
  if (!(source.table instanceof FullTable && target.table instanceof FullTable)) {
    throw new OptionError(`from: expected towers with full tables, got ${source.table.method}`);
  }
  const [rows, out] = [source.table.codebook, target.table.codebook];
  if (rows.dimensions !== out.dimensions) {
    throw new OptionError(`from: expected towers of ${out.dimensions} dimensions, got ${rows.dimensions}`);
  }
  out.row(target.lookup.oovId).set(rows.row(source.lookup.oovId));
  for (const word of target.lookup.words()) {
    const id = source.lookup.idOf(word);
    if (id !== source.lookup.oovId) out.row(target.lookup.idOf(word)).set(rows.row(id));
  }
}
