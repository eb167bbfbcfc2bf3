/** Prints the events of `shortlist train` as text: one function for each event. */
import type { ModelKind, Settings } from 'shortlist/recommenders';
import { comparisonLines, estimate, evaluationTable, figure } from '../evaluate/show.ts';
import { bytes, count, duration, plural, significant } from '../terminal/format-numbers.ts';
import type { Terminal } from '../terminal/terminal.ts';
import type { TrainEvent } from './events.ts';

/** The names of the models in text for people. */
export const MODEL_NAMES: Readonly<Record<ModelKind, string>> = { als: 'implicit ALS', 'two-tower': 'two towers' };

type Shown = { [E in TrainEvent as E['event']]: (event: E, terminal: Terminal) => void };

const SHOWN: Shown = {
  data({ lines, findings, rows, users, items, like, isLikeProposed }, terminal) {
    for (const line of lines) terminal.line(line);
    for (const line of findings) terminal.note(line);
    const of = `${count(rows)} rows of ${count(users)} users with ${count(items)} items`;
    const likes = isLikeProposed ? `${of}, where ${like}; --like says otherwise` : of;
    terminal.line(`Learns from ${likes}`);
  },
  split({ testUsers, testRowsOfUser, minInteractions, trainRows }, terminal) {
    const rows = testRowsOfUser === 1 ? 'the last row' : `the last ${testRowsOfUser} rows`;
    terminal.line(
      `Held out to judge by: ${rows} of ${count(testUsers)} users (with at least ${minInteractions}); ` +
        `${count(trainRows)} rows to train on`,
    );
  },
  from({ path, model, settings, newUsers, newItems, known }, terminal) {
    terminal.line(
      `Goes on from ${path}: ${MODEL_NAMES[model]}, ${shownSettings(settings)}; it knows ${count(known.users)} of the users and ` +
        `${count(known.items)} of the items; ${plural(newUsers, 'user')} and ${plural(newItems, 'item')} are new`,
    );
  },
  baseline({ k, evaluation }, terminal) {
    terminal.note(`  ${evaluation.name}: recall@${k} ${figure(evaluation.metrics[0]!.recall.mean)} on the test part`);
  },
  resumed({ path, trials }, terminal) {
    terminal.note(`Goes on from the ${plural(trials, 'trial')} of an interrupted run (${path})`);
  },
  trial({ trial, model, settings, k, recall, seconds }, terminal) {
    terminal.note(
      `  trial ${trial}, ${MODEL_NAMES[model]}, ${shownSettings(settings)}: recall@${k} ${figure(recall)} on the ` +
        `validation part, ${duration(1000 * seconds)}`,
    );
  },
  chosen({ model, settings, k, recall, validationUsers, other, trials, isSearchComplete }, terminal) {
    const tried = `${plural(trials, 'trial')}${isSearchComplete ? '' : ', not all settings'}`;
    terminal.line(
      `Chosen by ${count(validationUsers)} users of a validation part: ${MODEL_NAMES[model]}, ` +
        `${shownSettings(settings)}, recall@${k} ${estimate(recall)} (${tried})`,
    );
    if (other) {
      terminal.line(
        `  ${figure(other.recall)} is the best of ${MODEL_NAMES[other.model]}: less by ${estimate(other.difference)}`,
      );
    }
  },
  evaluated({ k, model, baselines, comparisons }, terminal) {
    terminal.line();
    terminal.line(`On the test part, ${count(model.users)} users, what a user has seen left out:`);
    for (const line of evaluationTable([...baselines, model])) terminal.line(line);
    for (const line of comparisonLines(model.name, k, comparisons)) terminal.line(line);
    terminal.line();
  },
  compared({ line }, terminal) {
    terminal.line(line);
  },
  index({ kind, candidates, dimensions, k, recall }, terminal) {
    const size = `${count(candidates)} candidates of ${dimensions} dimensions`;
    terminal.line(
      kind === 'brute-force'
        ? `Fitted again on everything; exact index, ${size}`
        : `Fitted again on everything; ScaNN index, ${size}, finds ${figure(recall)} of the exact best ${k}`,
    );
  },
  saved({ path, out, sizeBytes, seconds, user }, terminal) {
    terminal.line(`${path}: ${bytes(sizeBytes)}, ${duration(1000 * seconds)} in all`);
    terminal.line(`Ask it:   shortlist query ${out} ${/^[\w.-]+$/.test(user) ? user : JSON.stringify(user)}`);
    terminal.line(`Serve it: shortlist serve ${out}`);
  },
};

/** Print one event. */
export function show(event: TrainEvent, terminal: Terminal): void {
  (SHOWN[event.event] as (event: TrainEvent, terminal: Terminal) => void)(event, terminal);
}

/** dimensions 64, temperature 0.1. */
export function shownSettings(settings: Settings): string {
  return Object.entries(settings)
    .map(([name, value]) => `${name} ${value === 0 ? 0 : Number(significant(value))}`)
    .join(', ');
}
