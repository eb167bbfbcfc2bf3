/** Progress of steps that read all vectors, with the rows a second and the time that is left. */
import type { Progress } from 'shortlist/quantization';
import { count, duration } from '../terminal/format-numbers.ts';
import type { Environment, Terminal } from '../terminal/terminal.ts';

/** The steps of a build that go over all rows; the total of the first is not known to it. */
const STEPS_OVER_ROWS: readonly string[] = ['sample', 'partition', 'segments', 'exact results'];

/** Shows the steps of a build of `rows` rows on the terminal. */
export function rateProgress(rows: number, { now }: Environment, terminal: Terminal): (progress: Progress) => void {
  let current = '';
  let startedAt = 0;
  let startedWith = 0;
  return ({ step, done, total }) => {
    if (step !== current) {
      current = step;
      startedAt = now();
      startedWith = done;
    }
    const isOverRows = STEPS_OVER_ROWS.includes(step);
    const all = isOverRows ? rows : total;
    const perSecond = (1_000 * (done - startedWith)) / (now() - startedAt);
    const isKnown = isOverRows && Number.isFinite(perSecond) && perSecond > 0;
    const left = isKnown ? `, ${count(perSecond)} rows/s, ${duration((1_000 * (all - done)) / perSecond)} left` : '';
    terminal.progress(done / all, `${step}${left}`);
  };
}
