/** The training record of a bundle, as lines of text. */
import { estimate, figure } from '../evaluate/show.ts';
import { count, plural } from '../terminal/format-numbers.ts';
import { MODEL_NAMES, shownSettings } from '../train/show.ts';
import type { TrainingRecord } from '../train/training-record.ts';

/** Three lines: the model and its data, the validation, the test. */
export function trainingLines({ model, settings, seed, data, validation, test }: TrainingRecord): string[] {
  const { files, rows, users, items, like } = data;
  const baselines = test.baselines.map(({ name, recall }) => `${name} ${figure(recall.mean)}`).join(', ');
  return [
    `trained: ${MODEL_NAMES[model]}, ${shownSettings(settings)}, seed ${seed}, on ${count(rows)} rows of ${count(users)} users ` +
      `with ${count(items)} items (${files.join(' + ')}${like === undefined ? '' : `, ${like}`})`,
    `validation: recall@${validation.k} ${estimate(validation.recall)} for ${count(validation.users)} users, the best of ` +
      plural(validation.trials, 'trial'),
    `test: recall@${test.k} ${estimate(test.recall)} for ${count(test.users)} users` +
      `${baselines === '' ? '' : `; baselines: ${baselines}`}`,
  ];
}
