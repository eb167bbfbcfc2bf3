/**
 * `--from`: the model of an earlier bundle and its settings. The settings are not searched again; they are judged by a fit from
 * nothing, as the earlier model has learned from rows that are held out today. Only the fit on everything goes on from its rows.
 */
import { type ChosenModel, DataError, type Interactions } from 'shortlist';
import type { EarlierModel, Settings } from 'shortlist/recommenders';
import { openBundle } from '../input/bundle.ts';
import { bundleAt } from '../input/versions.ts';
import type { FromEvent } from './events.ts';
import { readTrainingRecord } from './training-record.ts';

/**
 * Of the iterations or epochs of a fit from nothing, for one that goes on. MovieLens, a tenth of the rows new, recall@10: ALS
 * .1006 after 3 iterations as after 8 from nothing; towers .0853 after 3 epochs, .0806 after 13 from nothing.
 */
const WARM_SHARE = 1 / 3;

/** An earlier model. */
export interface Earlier {
  /** The bundle, where the path was a folder of versions that of its newest. */
  readonly path: string;
  readonly model: EarlierModel;
  /** The number of epochs is chosen anew. */
  readonly chosen: ChosenModel;
}

/** The model of a bundle, or of the newest version of a folder. @throws {DataError} when the bundle does not say its settings */
export async function earlierModel(from: string): Promise<Earlier> {
  const path = await bundleAt(from);
  const { foldIn, queryTower, candidateTower, metadata } = await openBundle(path);
  const record = readTrainingRecord(metadata);
  if (record === undefined) {
    throw new DataError(
      `${path}: expected a bundle that shortlist train wrote, got one that does not say its settings`,
    );
  }
  const { epochs: _, ...settings } = record.settings;
  return {
    path,
    model: { foldIn, queryTower, candidateTower } as EarlierModel,
    chosen: { model: record.model, settings },
  };
}

/** The settings of a fit that goes on: a third of the iterations or epochs. */
export function warmSettings(settings: Settings): Settings {
  const share = (name: string): Settings => {
    const value = settings[name];
    return value === undefined ? {} : { [name]: Math.max(1, Math.round(WARM_SHARE * value)) };
  };
  return { ...settings, ...share('iterations'), ...share('epochs') };
}

/** The users and items of the data that an earlier model knows. */
export function fromEvent({ path, model, chosen }: Earlier, { users, items }: Interactions): FromEvent {
  const lookups = [
    model.foldIn?.parts.users ?? model.queryTower?.inputs[0]?.lookup,
    model.foldIn?.parts.items ?? model.candidateTower?.inputs[0]?.lookup,
  ];
  const [newUsers, newItems] = [users, items].map(({ vocabulary }, i) => {
    const lookup = lookups[i];
    return lookup ? vocabulary.filter((word) => lookup.idOf(word) === lookup.oovId).length : vocabulary.length;
  });
  const known = { users: users.vocabulary.length - newUsers!, items: items.vocabulary.length - newItems! };
  return { event: 'from', path, ...chosen, newUsers: newUsers!, newItems: newItems!, known };
}
