/**
 * Saves and loads towers of features together, so that tables and vocabularies that they share are saved once.
 */
import type { EmbeddingTable } from '../embeddings/contract.ts';
import { checkSavable } from '../embeddings/table-lock.ts';
import { attentionOf } from '../features/attention.ts';
import type { Feature } from '../features/contract.ts';
import { loadFeatureSets, saveFeatureSets } from '../features/feature-set.ts';
import { type Loaders, loadPart, type Part } from '../format/part.ts';
import type { Saved } from '../format/saved.ts';
import type { Layer } from '../layers/contract.ts';
import { DenseLayer } from '../layers/dense-layer.ts';
import { AttentionEncoder } from './attention-encoder.ts';
import { savedBiases } from './bias-columns.ts';
import { loadLayers, saveLayers } from './saved-tower.ts';
import { type FeatureInput, tablesOf } from './tower-inputs.ts';
import type { FeatureTowerParts } from './tower-options.ts';

/** The saved source of an input of floats, in place of a table's name: a projection, or the floats themselves. */
const [PROJECTION, FLOATS] = ['projection', 'floats'] as const;

/** The saved form of towers, each under its name. @throws {StateError} while a `fit` trains their tables */
export function saveFeatureTowers(towers: Readonly<Record<string, FeatureTowerParts>>): Saved {
  const all = Object.entries(towers);
  const tables = tablesOf(all.flatMap(([, { inputs }]) => inputs));
  checkSavable(tables);
  const parts: Record<string, Saved> = { features: saveFeatureSets(all.map(([, { features }]) => features)) };
  tables.forEach((table, i) => {
    parts[`table${i}`] = table.save();
  });
  for (const [name, { inputs, layers, normalize, biases }] of all) {
    const savedOf = savedBiases(biases);
    const layerParts = { ...saveLayers(layers), ...savedOf.parts };
    inputs.forEach(({ projection, attention }, i) => {
      if (projection) layerParts[`projection${i}`] = projection.save();
      if (attention) layerParts[`attention${i}`] = attention.save();
    });
    const settings = {
      inputs: inputs.map(({ table, projection }) =>
        table ? `table${tables.indexOf(table)}` : projection ? PROJECTION : FLOATS,
      ),
      layers: layers.length,
      normalize,
      ...savedOf.settings,
    };
    parts[name] = { kind: 'tower-layers', settings, sections: [], parts: layerParts };
  }
  const settings = { towers: all.map(([name]) => name), tables: tables.length };
  return { kind: 'feature-towers', settings, sections: [], parts };
}

/**
 * Load saved towers.
 *
 * @param loaders the loaders of all kinds of tables
 * @param ownLayers the loaders of the program's own kinds of layers
 * @throws {FormatError} when the parts do not fit together
 */
export function loadFeatureTowers(
  part: Part,
  loaders: Loaders<EmbeddingTable>,
  ownLayers: Loaders<Layer> = {},
): Record<string, FeatureTowerParts> {
  const { settings, runtime } = part;
  const names = settings.strings('towers');
  const sets = loadPart(part.part('features'), { features: loadFeatureSets });
  if (sets.length !== names.length) {
    throw settings.error('towers', `expected ${sets.length} names, one per set of features, got ${names.length}`);
  }
  const count = settings.integer('tables', { max: part.partNames().length });
  const tables = new Map(
    Array.from({ length: count }, (_, i) => [`table${i}`, loadPart(part.part(`table${i}`), loaders)] as const),
  );
  const entries = names.map((name, i): [string, FeatureTowerParts] => {
    const load = (tower: Part): FeatureTowerParts => {
      const inputs = loadInputs(tower, sets[i]!.features, tables);
      return { ...loadLayers(tower, inputs, ownLayers), inputs, features: sets[i]!, runtime };
    };
    return [name, loadPart(part.part(name), { 'tower-layers': load })];
  });
  return Object.fromEntries(entries);
}

function loadInputs(
  tower: Part,
  features: readonly Feature[],
  tables: ReadonlyMap<string, EmbeddingTable>,
): FeatureInput[] {
  const { settings } = tower;
  const sources = settings.strings('inputs');
  if (sources.length !== features.length) {
    throw settings.error('inputs', `expected ${features.length}, one per feature, got ${sources.length}`);
  }
  return features.map((feature, i): FeatureInput => {
    const { name, column, vocabularySize, dimensions } = feature;
    const source = sources[i]!;
    if (column !== 'floats') {
      const table = tables.get(source);
      if (table?.vocabularySize === vocabularySize) {
        return { name, feature, table, projection: undefined, attention: loadAttention(tower, i, feature, table) };
      }
      throw settings.error('inputs', `expected a table of ${vocabularySize} rows for ${name}, got ${source}`);
    }
    if (source === FLOATS) return { name, feature, table: undefined, projection: undefined };
    if (source !== PROJECTION) throw settings.error('inputs', `expected floats for ${name}, got ${source}`);
    const projection = loadPart(tower.part(`projection${i}`), { dense: DenseLayer.load });
    if (projection.inputs === dimensions) return { name, feature, table: undefined, projection };
    throw settings.error('inputs', `expected a projection of ${dimensions} floats, got one of ${projection.inputs}`);
  });
}

/** The saved attention of input `i`; undefined where the spec of its feature names none. */
function loadAttention(tower: Part, i: number, { spec }: Feature, table: EmbeddingTable): AttentionEncoder | undefined {
  const shape = attentionOf(spec);
  const load = (part: Part): AttentionEncoder => AttentionEncoder.load(part, table.dimensions, shape!.maxLength);
  return shape && loadPart(tower.part(`attention${i}`), { attention: load });
}
