/**
 * Saves and loads the lookups, tables and layers of a tower of words, as a part of a bundle or checkpoint; towers of features:
 * saved-feature-towers.ts.
 */
import { assert } from '../checks/assert.ts';
import type { EmbeddingTable } from '../embeddings/contract.ts';
import { StringLookup } from '../embeddings/string-lookup.ts';
import { checkSavable } from '../embeddings/table-lock.ts';
import { type Loaders, loadPart, type Part } from '../format/part.ts';
import type { Saved } from '../format/saved.ts';
import { DenseLayer } from '../layers/dense-layer.ts';
import { embeddedWidth, type TowerInput, tablesOf, type WordInput } from './tower-inputs.ts';
import type { TowerParts } from './tower-options.ts';

/** The saved form of lookups, tables and layers. @throws {StateError} while a `fit` trains the tables */
export function saveParts({ inputs, layers, normalize }: TowerParts): Saved {
  checkSavable(tablesOf(inputs));
  const parts: Record<string, Saved> = {};
  inputs.forEach(({ lookup, table }, i) => {
    assert(lookup !== undefined && table !== undefined, 'tower: an input of a tower of words is no word');
    parts[`lookup${i}`] = lookup.save();
    parts[`table${i}`] = table.save();
  });
  layers.forEach((layer, i) => {
    parts[`dense${i}`] = layer.save();
  });
  const features = inputs.map(({ name }) => name);
  const settings = { features, layers: layers.length, normalize };
  return { kind: 'tower', settings, sections: [], parts };
}

/**
 * Load the parts of a saved tower.
 *
 * @param tables every kind of table
 * @throws {FormatError} when the parts do not fit together
 */
export function loadParts(part: Part, tables: Loaders<EmbeddingTable>): TowerParts<WordInput> {
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
  return { inputs, runtime, ...loadLayers(part, inputs) };
}

/** Load the dense layers after inputs. @throws {FormatError} when their widths do not fit together */
export function loadLayers(part: Part, inputs: readonly TowerInput[]): Pick<TowerParts, 'layers' | 'normalize'> {
  const { settings } = part;
  let width = embeddedWidth(inputs);
  const layers = Array.from({ length: settings.integer('layers', { max: part.partNames().length }) }, (_, i) => {
    const layer = loadPart(part.part(`dense${i}`), { dense: DenseLayer.load });
    if (layer.inputs !== width) throw settings.error('layers', `expected ${width} inputs, got ${layer.inputs} in ${i}`);
    width = layer.units;
    return layer;
  });
  return { layers, normalize: settings.boolean('normalize') };
}
