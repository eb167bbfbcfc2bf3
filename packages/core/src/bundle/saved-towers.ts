/**
 * Saves and loads the towers of a bundle. Each tower is a part of the bundle, but two towers of features are one part
 * together, so that tables and vocabularies that they share are saved once and are shared again after loading.
 */
import { type Loaders, loadPart, type Part } from '../format/part.ts';
import type { Saved } from '../format/saved.ts';
import type { Layer } from '../layers/contract.ts';
import { loadFeatureTowers, saveFeatureTowers } from '../towers/saved-feature-towers.ts';
import { Tower } from '../towers/tower.ts';
import type { Features } from '../towers/tower-inputs.ts';
import { isOfFeatures } from '../towers/tower-options.ts';
import { TABLES, TOWERS } from './registry.ts';

/** The towers that a bundle has. */
export interface BundleTowers {
  queryTower: Tower<Features> | undefined;
  candidateTower: Tower<Features> | undefined;
}

/** The parts of towers. @throws {StateError} while a `fit` trains one of them */
export function savedTowers<Q extends Features>(
  queryTower: Tower<Q> | undefined,
  candidateTower: Tower<never> | undefined,
): Record<string, Saved> {
  if (queryTower && isOfFeatures(queryTower) && candidateTower && isOfFeatures(candidateTower)) {
    return { towers: saveFeatureTowers({ queryTower, candidateTower }) };
  }
  return {
    ...(queryTower && { queryTower: queryTower.save() }),
    ...(candidateTower && { candidateTower: candidateTower.save() }),
  };
}

/** Load the towers of a bundle. @throws {FormatError} when their parts do not fit together */
export function loadTowers(bundle: Part, layers: Loaders<Layer>): BundleTowers {
  const names = bundle.partNames();
  if (names.includes('towers')) {
    return loadPart(bundle.part('towers'), {
      'feature-towers': (part) => {
        const towers = loadFeatureTowers(part, TABLES, layers);
        const { queryTower, candidateTower, ...others } = towers;
        if (!queryTower || !candidateTower || Object.keys(others).length > 0) {
          throw part.settings.error(
            'towers',
            `expected queryTower and candidateTower, got ${Object.keys(towers).join(', ')}`,
          );
        }
        return { queryTower: Tower.of<Features>(queryTower), candidateTower: Tower.of<Features>(candidateTower) };
      },
    });
  }
  const load = (name: string): Tower<Features> | undefined =>
    names.includes(name) ? loadPart(bundle.part(name), TOWERS, layers) : undefined;
  return { queryTower: load('queryTower'), candidateTower: load('candidateTower') };
}
