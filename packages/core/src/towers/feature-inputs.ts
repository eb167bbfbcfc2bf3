/**
 * Makes the inputs of towers from features: one embedding table for each name of a table, shared by all features that
 * give this name, a projection for each feature of floats that gives `dimensions`, and the attention of sequences.
 */
import { checkInteger } from '../checks/numbers.ts';
import type { OnWarning } from '../checks/warning.ts';
import type { EmbeddingTable } from '../embeddings/contract.ts';
import { type EmbeddingOptions, makeTable } from '../embeddings/make-table.ts';
import { OptionError } from '../errors/errors.ts';
import { attentionOf } from '../features/attention.ts';
import type { Feature } from '../features/contract.ts';
import { DenseLayer } from '../layers/dense-layer.ts';
import type { Runtime } from '../parallel/runtime.ts';
import type { Generator } from '../random/generator.ts';
import { AttentionEncoder } from './attention-encoder.ts';
import type { FeatureInput } from './tower-inputs.ts';

/** The default width of an embedding, equal to that of a word of a tower (tower-options.ts). */
export const EMBEDDING_DIMENSIONS = 32;

/** The random numbers and the memory of new weights. */
export interface InputContext {
  seeds: Generator;
  runtime: Runtime;
  onWarning?: OnWarning | undefined;
}

/**
 * The inputs of towers, one list for each tower. Features of one table share it, also across towers. Features that were
 * learned in different calls and happen to have the same name have tables of their own.
 *
 * @throws {OptionError} where features whose specs name one table differ in their words, their width or the kind of table,
 * or where heads of attention do not divide the width
 */
export function featureInputs(towers: readonly (readonly Feature[])[], context: InputContext): FeatureInput[][] {
  const embedded = towers.flat().filter(({ column }) => column !== 'floats');
  const tables = new Map<Feature, EmbeddingTable>();
  for (const feature of embedded) {
    if (tables.has(feature)) continue;
    const named = embedded.filter(({ table }) => table === feature.table);
    const sharing = named.filter((other) => haveSameWords(feature, other));
    checkApart(feature, named);
    const table = newTable(sharing, context);
    for (const each of sharing) tables.set(each, table);
  }
  return towers.map((features) =>
    features.map((feature): FeatureInput => {
      const { name, column } = feature;
      const projection = column === 'floats' ? projectionOf(feature, context) : undefined;
      const table = tables.get(feature);
      const shape = attentionOf(feature.spec);
      const attention = shape && table && AttentionEncoder.create(name, table.dimensions, shape, context);
      return { name, feature, table, projection, attention };
    }),
  );
}

function haveSameWords(a: Feature, b: Feature): boolean {
  return a.vocabulary === b.vocabulary && a.vocabularySize === b.vocabularySize;
}

/** Refuse features whose specs name the same table but whose words differ. */
function checkApart(feature: Feature, named: readonly Feature[]): void {
  const other = named.find((each) => !haveSameWords(feature, each) && 'table' in each.spec && 'table' in feature.spec);
  if (!other) return;
  throw new OptionError(
    `features.${other.name}: expected the words of ${feature.name}, with which it shares the table ${feature.table}, ` +
      'got its own: learn both in one call of learnFeatures',
  );
}

function newTable(features: readonly Feature[], { seeds, runtime, onWarning }: InputContext): EmbeddingTable {
  const { name, vocabularySize } = features[0]!;
  const dimensions = agreed('dimensions', features, ({ spec }) => spec.dimensions) ?? EMBEDDING_DIMENSIONS;
  const embedding = agreed('embedding', features, embeddingOf) ?? { method: 'full' };
  checkInteger(`features.${name}.dimensions`, dimensions, 1);
  return makeTable(embedding, { vocabularySize, dimensions, seed: seeds.uint32(), runtime, onWarning });
}

/** The value of an option that features of one table give; undefined where none does. */
function agreed<T>(
  option: string,
  features: readonly Feature[],
  read: (feature: Feature) => T | undefined,
): T | undefined {
  const given = features.map(read).filter((value) => value !== undefined);
  const distinct = [...new Set(given.map((value) => JSON.stringify(value)))];
  if (distinct.length > 1) {
    throw new OptionError(
      `features.${features[0]!.name}.${option}: expected one value for the table ${features[0]!.table}, got ${distinct.join(' and ')}`,
    );
  }
  return given[0];
}

function embeddingOf({ spec }: Feature): EmbeddingOptions | undefined {
  return 'embedding' in spec ? spec.embedding : undefined;
}

function projectionOf({ name, spec, dimensions }: Feature, { seeds, runtime }: InputContext): DenseLayer | undefined {
  const units = spec.dimensions;
  if (units === undefined) return undefined;
  checkInteger(`features.${name}.dimensions`, units, 1);
  return DenseLayer.create(dimensions, units, 'linear', seeds.uint32(), runtime);
}
