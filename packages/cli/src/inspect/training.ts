/** The training record of a bundle, as lines of text. */
import { estimate, figure } from '../evaluate/show.ts';
import { count, plural } from '../terminal/format-numbers.ts';
import { MODEL_NAMES, shownSettings } from '../train/show.ts';
import type { TrainingRecord } from '../train/training-record.ts';

/** Three lines: model and data, validation, test. */
export function trainingLines({ model, settings, seed, data, validation, test }: TrainingRecord): string[] {
  const { files, rows, users, items, like } = data;
  const baselines = test.baselines.map(({ name, recall }) => `${name} ${figure(recall.mean)}`).join(', ');
  return [
    `trained: ${MODEL_NAMES[model]}, ${shownSettings(settings)}, seed ${seed}, on ${count(rows)} rows of ${count(users)} users ` +
      `with ${count(items)} items (${files.join(' + ')}${like === undefined ? '' : `, ${like}`})`,
    `chosen:  recall@${validation.k} ${estimate(validation.recall)} of ${count(validation.users)} users, the best of ` +
      plural(validation.trials, 'trial'),
    `judged:  recall@${test.k} ${estimate(test.recall)} of ${count(test.users)} users, on rows held out from both` +
      `${baselines === '' ? '' : `; ${baselines}`}`,
  ];
}
