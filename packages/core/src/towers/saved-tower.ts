/**
 * Saves and loads the lookups, tables and layers of a tower of words, as a part of a bundle or checkpoint
 * (saved-feature-towers.ts does so for towers of features).
 */
import { assert } from '../checks/assert.ts';
import type { EmbeddingTable } from '../embeddings/contract.ts';
import { StringLookup } from '../embeddings/string-lookup.ts';
import { checkSavable } from '../embeddings/table-lock.ts';
import { type Loaders, loadPart, type Part } from '../format/part.ts';
import type { Saved } from '../format/saved.ts';
import type { Layer } from '../layers/contract.ts';
import { layerLoaders, loadLayer } from '../layers/make-layers.ts';
import { loadBiases, savedBiases } from './bias-columns.ts';
import { embeddedWidth, type TowerInput, tablesOf, type WordInput } from './tower-inputs.ts';
import type { TowerParts } from './tower-options.ts';

/** The saved form of lookups, tables and layers. @throws {StateError} while a `fit` trains the tables */
export function saveParts({ inputs, layers, normalize, biases }: TowerParts): Saved {
  checkSavable(tablesOf(inputs));
  const parts: Record<string, Saved> = {};
  inputs.forEach(({ lookup, table }, i) => {
    assert(
      lookup !== undefined && table !== undefined,
      'tower: every input of a tower of words has a vocabulary and a table',
    );
    parts[`lookup${i}`] = lookup.save();
    parts[`table${i}`] = table.save();
  });
  const savedOf = savedBiases(biases);
  Object.assign(parts, saveLayers(layers), savedOf.parts);
  const features = inputs.map(({ name }) => name);
  const settings = { features, layers: layers.length, normalize, ...savedOf.settings };
  return { kind: 'tower', settings, sections: [], parts };
}

/**
 * Load the parts of a saved tower.
 *
 * @param tables the loaders of all kinds of tables
 * @param ownLayers the loaders of the program's own kinds of layers
 * @throws {FormatError} when the parts do not fit together
 */
export function loadParts(
  part: Part,
  tables: Loaders<EmbeddingTable>,
  ownLayers: Loaders<Layer>,
): TowerParts<WordInput> {
  const { settings, runtime } = part;
  const features = settings.strings('features');
  if (features.length === 0) throw settings.error('features', 'expected at least one, got none');
  const inputs = features.map((name, i): WordInput => {
    const lookup = loadPart(part.part(`lookup${i}`), { 'string-lookup': StringLookup.load });
    const table = loadPart(part.part(`table${i}`), tables);
    if (table.vocabularySize !== lookup.size) {
      throw settings.error('features', `expected ${lookup.size} ids in table ${i}, got ${table.vocabularySize}`);
    }
    return { name, lookup, table };
  });
  return { inputs, runtime, ...loadLayers(part, inputs, ownLayers) };
}

/**
 * The saved layers of a tower by name. Layer i is named `layer<i>`, but `dense<i>` if it is dense, because older files
 * have only dense layers and this name.
 */
export function saveLayers(layers: readonly Layer[]): Record<string, Saved> {
  return Object.fromEntries(
    layers.map((layer, i) => [`${layer.kind === 'dense' ? 'dense' : 'layer'}${i}`, layer.save()]),
  );
}

/** Load the layers after inputs, and the biases behind them. @throws {FormatError} when their widths do not fit together */
export function loadLayers(
  part: Part,
  inputs: readonly TowerInput[],
  ownLayers: Loaders<Layer>,
): Pick<TowerParts, 'layers' | 'normalize' | 'biases'> {
  const { settings } = part;
  const names = part.partNames();
  const loaders = layerLoaders(ownLayers);
  let width = embeddedWidth(inputs);
  const layers = Array.from({ length: settings.integer('layers', { max: names.length }) }, (_, i) => {
    const name = names.includes(`layer${i}`) ? `layer${i}` : `dense${i}`;
    const layer = loadLayer(part, name, width, loaders);
    width = layer.outputs;
    return layer;
  });
  return { layers, normalize: settings.boolean('normalize'), biases: loadBiases(part, inputs) };
}
