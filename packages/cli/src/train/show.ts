/** Prints the events of `shortlist train` as text: one function for each event. */
import type { ModelKind, Settings } from 'shortlist/recommenders';
import { comparisonLines, estimate, evaluationTable, figure } from '../evaluate/show.ts';
import { bytes, count, duration, plural, significant } from '../terminal/format-numbers.ts';
import type { Terminal } from '../terminal/terminal.ts';
import type { TrainEvent } from './events.ts';

/** The names of the models in text for people. */
export const MODEL_NAMES: Readonly<Record<ModelKind, string>> = {
  als: 'implicit ALS',
  'two-tower': 'two-tower model',
  history: 'history tower',
  features: 'two towers over features',
};

type Shown = { [E in TrainEvent as E['event']]: (event: E, terminal: Terminal) => void };

const SHOWN: Shown = {
  data({ lines, findings, rows, users, items, like, isLikeProposed }, terminal) {
    for (const line of lines) terminal.line(line);
    for (const line of findings) terminal.note(line);
    const of = `${count(rows)} rows of ${count(users)} users with ${count(items)} items`;
    const condition = isLikeProposed ? `, where ${like} (--like sets another condition)` : '';
    terminal.line(`Interactions: ${of}${condition}`);
  },
  split(event, terminal) {
    const { testUsers, testRows, trainRows } = event;
    if (event.way === 'time') {
      terminal.line(
        `Test part: ${count(testRows)} rows of ${count(testUsers)} users from ${event.from.slice(0, 10)} on, the last tenth by time. ` +
          `Training part: the ${count(trainRows)} rows before`,
      );
      if (event.newUserRows > 0)
        terminal.note(
          `  left out of both parts, as their users have no row before: ${plural(event.newUserRows, 'row')}`,
        );
      return;
    }
    const { testRowsOfUser, minInteractions } = event;
    const rows = testRowsOfUser === 1 ? 'the last row' : `the last ${testRowsOfUser} rows`;
    terminal.line(
      `Test part: ${rows} of each of ${count(testUsers)} users with at least ${minInteractions} rows. ` +
        `Training part: the other ${count(trainRows)} rows`,
    );
  },
  from({ path, model, settings, newUsers, newItems, known, leftOutItems }, terminal) {
    const leftOut = `; ${plural(leftOutItems, 'item')} of it without a row in the data ${leftOutItems === 1 ? 'is' : 'are'} left out`;
    terminal.line(
      `Continues from ${path}: ${MODEL_NAMES[model]}, ${shownSettings(settings)}. It knows ${plural(known.users, 'user')} and ` +
        `${plural(known.items, 'item')} of the data; ${plural(newUsers, 'user')} and ${plural(newItems, 'item')} are new${leftOutItems > 0 ? leftOut : ''}`,
    );
  },
  baseline({ k, evaluation }, terminal) {
    terminal.note(`  ${evaluation.name}: recall@${k} ${figure(evaluation.metrics[0]!.recall.mean)} on the test part`);
  },
  resumed({ path, trials }, terminal) {
    terminal.note(`Continues from the ${plural(trials, 'trial')} of an interrupted run (${path})`);
  },
  trial({ trial, model, settings, k, recall, seconds }, terminal) {
    terminal.note(
      `  trial ${trial}, ${MODEL_NAMES[model]}, ${shownSettings(settings)}: recall@${k} ${figure(recall)} on the ` +
        `validation part, ${duration(1000 * seconds)}`,
    );
  },
  chosen({ model, settings, k, recall, validationUsers, other, trials, isSearchComplete }, terminal) {
    const untried = isSearchComplete ? '' : '; some settings were not tried';
    terminal.line(
      `Best of ${plural(trials, 'trial')} on the validation part (${count(validationUsers)} users${untried}): ` +
        `${MODEL_NAMES[model]}, ${shownSettings(settings)}: recall@${k} ${estimate(recall)}`,
    );
    if (other) {
      terminal.line(
        `  best ${MODEL_NAMES[other.model]}: recall@${k} ${figure(other.recall)}, lower by ${estimate(other.difference)}`,
      );
    }
  },
  evaluated({ k, model, baselines, comparisons }, terminal) {
    terminal.line();
    terminal.line(`Test part, ${count(model.users)} users; items that a user has already seen are left out:`);
    for (const line of evaluationTable([...baselines, model])) terminal.line(line);
    for (const line of comparisonLines(model.name, k, comparisons)) terminal.line(line);
    terminal.line();
  },
  compared({ line }, terminal) {
    terminal.line(line);
  },
  index({ kind, candidates, dimensions, k, recall }, terminal) {
    const size = `${count(candidates)} candidates with ${dimensions} dimensions`;
    terminal.line(
      kind === 'brute-force'
        ? `Model fitted again on all interactions; exact index of ${size}`
        : `Model fitted again on all interactions; ScaNN index of ${size}, recall@${k} ${figure(recall)} against an exact search`,
    );
  },
  saved({ path, out, sizeBytes, seconds, query }, terminal) {
    terminal.line(`${path}: ${bytes(sizeBytes)}, ${duration(1000 * seconds)} in total`);
    terminal.line(`Next: shortlist query ${out} ${shellWord(query)}`);
    terminal.line(`      shortlist serve ${out}`);
  },
};

/** Print one event. */
export function show(event: TrainEvent, terminal: Terminal): void {
  (SHOWN[event.event] as (event: TrainEvent, terminal: Terminal) => void)(event, terminal);
}

/** Settings as text: `dimensions 64, temperature 0.1`. */
export function shownSettings(settings: Settings): string {
  return Object.entries(settings)
    .map(([name, value]) => `${name} ${value === 0 ? 0 : Number(significant(value))}`)
    .join(', ');
}

/** A word of a command line, in quotes where a shell would change it. */
function shellWord(text: string): string {
  return /^[\w.-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
