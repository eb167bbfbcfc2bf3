/**
 * Makes the inputs of towers from features: a table for each name of a table, which all features of that name share, and a
 * projection for floats that ask for one.
 */
import { checkInteger } from '../checks/numbers.ts';
import type { OnWarning } from '../checks/warning.ts';
import type { EmbeddingTable } from '../embeddings/contract.ts';
import { type EmbeddingOptions, makeTable } from '../embeddings/make-table.ts';
import { OptionError } from '../errors/errors.ts';
import type { Feature } from '../features/contract.ts';
import { DenseLayer } from '../layers/dense-layer.ts';
import type { Runtime } from '../parallel/runtime.ts';
import type { Generator } from '../random/generator.ts';
import type { FeatureInput } from './tower-inputs.ts';

/** The width of an embedding where no feature of its table names one, as of a word of a tower. */
const DIMENSIONS = 32;

/** What new weights depend on. */
export interface InputContext {
  seeds: Generator;
  runtime: Runtime;
  onWarning?: OnWarning | undefined;
}

/**
 * The inputs of towers, one list for each; features of one table share it, also across towers.
 *
 * @throws {OptionError} where features of one table differ in their words, their width or the kind of table
 */
export function featureInputs(towers: readonly (readonly Feature[])[], context: InputContext): FeatureInput[][] {
  const all = towers.flat();
  const tables = new Map<string, EmbeddingTable>();
  const tableOf = (feature: Feature): EmbeddingTable => {
    const known = tables.get(feature.table);
    if (known) return known;
    const made = newTable(
      all.filter(({ column, table }) => column !== 'floats' && table === feature.table),
      context,
    );
    tables.set(feature.table, made);
    return made;
  };
  return towers.map((features) =>
    features.map((feature): FeatureInput => {
      const { name } = feature;
      if (feature.column === 'floats')
        return { name, feature, table: undefined, projection: projectionOf(feature, context) };
      return { name, feature, table: tableOf(feature), projection: undefined };
    }),
  );
}

function newTable(features: readonly Feature[], { seeds, runtime, onWarning }: InputContext): EmbeddingTable {
  const [first] = features;
  for (const { name, vocabulary, vocabularySize } of features) {
    if (vocabulary !== first!.vocabulary || vocabularySize !== first!.vocabularySize) {
      throw new OptionError(
        `features.${name}: expected the words of ${first!.name}, with which it shares the table ${first!.table}, ` +
          `got others: learn both in one call of learnFeatures`,
      );
    }
  }
  const dimensions = agreed('dimensions', features, ({ spec }) => spec.dimensions) ?? DIMENSIONS;
  const embedding = agreed('embedding', features, embeddingOf) ?? { method: 'full' };
  checkInteger(`features.${first!.name}.dimensions`, dimensions, 1);
  const { vocabularySize } = first!;
  return makeTable(embedding, { vocabularySize, dimensions, seed: seeds.uint32(), runtime, onWarning });
}

/** The value that features of one table give; undefined where none does. */
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
