/**
 * Starts a fit from an earlier model: from its vocabularies, to which new words are added, and from its rows of
 * embeddings.
 *
 * The words of the earlier model come first, in its order. Words without an interaction keep their rows.
 */
import type { FoldIn } from '../als/fold-in.ts';
import type { DictionaryColumn, Interactions } from '../data/interactions.ts';
import { FullTable } from '../embeddings/full.ts';
import { StringLookup } from '../embeddings/string-lookup.ts';
import { OptionError } from '../errors/errors.ts';
import type { Tower } from '../towers/tower.ts';
import { encoderParameters, type FeatureInput, type TowerInput } from '../towers/tower-inputs.ts';
import type { Matrix } from '../vectors/matrix.ts';
import type { ModelKind } from './trial.ts';

/** A tower of an earlier model: of words, or of features. */
export type EarlierTower = Tower | Tower<Readonly<Record<string, unknown>>>;

/** The parts of an earlier model, from its bundle. */
export interface EarlierModel {
  readonly foldIn?: FoldIn | undefined;
  readonly queryTower?: EarlierTower | undefined;
  readonly candidateTower?: EarlierTower | undefined;
}

/**
 * The lookups of users and items; undefined for a model over features, which learns its words from the data again.
 *
 * @throws {OptionError} when the earlier model is of another kind
 */
export function earlierLookups(
  kind: ModelKind,
  { foldIn, queryTower, candidateTower }: EarlierModel,
): StringLookup[] | undefined {
  if (kind === 'history' || kind === 'features') return undefined;
  if (kind === 'als' && foldIn) return [foldIn.parts.users, foldIn.parts.items];
  const towers = [queryTower, candidateTower];
  const lookups = towers.flatMap((tower) => (tower?.inputs.length === 1 ? (tower.inputs[0]!.lookup ?? []) : []));
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
export function copyKnownRows(from: EarlierTower, to: Tower): void {
  const [source, target] = [from.inputs[0]!, to.inputs[0]!];
  if (!source.lookup) throw new OptionError(`from: expected a tower of words, got one of the feature ${source.name}`);
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

/**
 * Copy the parameters that both models over features have: the rows of words that both know, those of hashed words, the
 * projections, the attention and the layers. The features of both have the same names and specs.
 *
 * @throws {OptionError} when the earlier model has no such feature or layer, or one of another width, or compressed tables
 */
export function copyKnownFeatures(
  from: EarlierModel,
  to: { queryTower: Tower<never>; candidateTower: Tower<never> },
): void {
  for (const side of ['queryTower', 'candidateTower'] as const) {
    const earlier = from[side];
    if (!earlier) throw new OptionError(`from: expected a ${side}, got none`);
    for (const input of to[side].inputs) {
      const { name, feature, table } = input;
      const known = (earlier.inputs as readonly TowerInput[]).find((each) => each.name === name);
      if (!known?.feature || !feature)
        throw new OptionError(`from: expected a ${side} with the feature ${name}, got none`);
      const what = input.projection ? 'projection' : 'attention';
      copyParameters(`the ${what} of ${name}`, encoderParameters(known), encoderParameters(input));
      if (table) copyWords(name, known, input);
    }
    copyBiases(side, earlier, to[side]);
    const [theirs, ours] = [earlier, to[side]].map(({ layers }) => layers.flatMap((layer) => layer.parameters()));
    copyParameters(`the layers of ${side}`, theirs!, ours!);
  }
}

function copyWords(name: string, from: FeatureInput, to: FeatureInput): void {
  if (!(from.table instanceof FullTable && to.table instanceof FullTable)) {
    throw new OptionError(`from: expected full tables, got ${from.table?.method ?? 'none'} for ${name}`);
  }
  const [rows, out] = [from.table.codebook, to.table.codebook];
  if (rows.dimensions !== out.dimensions) {
    throw new OptionError(`from: expected ${out.dimensions} dimensions of ${name}, got ${rows.dimensions}`);
  }
  copyRowsOfWords(from, to, rows, out);
}

/** Copy the biases of words. @throws {OptionError} when one tower alone has biases */
function copyBiases(side: string, from: EarlierTower, to: Tower<never>): void {
  const [theirs, ours] = [from.biases, to.biases];
  if (theirs?.of !== ours?.of) {
    throw new OptionError(`from: expected ${ours ? 'biases' : 'no biases'} of ${side}, got a model that differs`);
  }
  to.inputs.forEach((input, i) => {
    const known = (from.inputs as readonly TowerInput[]).findIndex(({ name }) => name === input.name);
    const [rows, out] = [theirs?.tables[known], ours?.tables[i]];
    if (rows && out)
      copyRowsOfWords(from.inputs[known] as FeatureInput, input as FeatureInput, rows.codebook, out.codebook);
  });
}

/** Copy the rows of the words that both features know; of hashed words, all rows. */
function copyRowsOfWords(from: FeatureInput, to: FeatureInput, rows: Matrix, out: Matrix): void {
  const [known, words] = [from.feature.vocabulary, to.feature.vocabulary];
  if (known instanceof StringLookup && words instanceof StringLookup) {
    for (const word of words.words()) if (known.has(word)) out.row(words.idOf(word)).set(rows.row(known.idOf(word)));
  } else if (rows.rows === out.rows) {
    out.data.set(rows.data);
  }
}

function copyParameters(name: string, from: readonly Matrix[], to: readonly Matrix[]): void {
  const shapes = [from, to].map(
    (all) => all.map(({ rows, dimensions }) => `${rows} × ${dimensions}`).join(', ') || 'none',
  );
  if (shapes[0] !== shapes[1]) throw new OptionError(`from: expected ${name} of ${shapes[1]}, got ${shapes[0]}`);
  to.forEach((matrix, i) => {
    matrix.data.set(from[i]!.data);
  });
}
