/** Prints the tutorial's events as text: one function for each event. */
import { bytes, count, duration, significant, table } from '../terminal/format-numbers.ts';
import type { Terminal } from '../terminal/terminal.ts';
import type { TutorialEvent } from './events.ts';

/** The shortlist that was printed last. An equal one is not printed again. */
interface Before {
  shortlist: string;
}

type Shown = { [E in TutorialEvent as E['event']]: (event: E, terminal: Terminal, before: Before) => void };

const SHOWN: Shown = {
  download(event, terminal) {
    const done = `${bytes(event.receivedBytes)} of ${bytes(event.totalBytes)}`;
    terminal.progress(event.receivedBytes / event.totalBytes, `downloading MovieLens-100K, ${done}`);
  },
  data({ line, interactions, users, movies }, terminal) {
    terminal.line(`Data: ${line}`);
    terminal.line(`  ${count(interactions)} interactions of ${count(users)} users with ${count(movies)} movies`);
  },
  split({ train, test, titles }, terminal) {
    terminal.line(`  ${count(train)} to train on, ${count(test)} to test; ${count(titles)} different titles`);
  },
  towers({ users, titles, method, share, split }, terminal) {
    terminal.line('\nTraining: two-tower model, in-batch softmax, batches of 8,192, Adagrad');
    const small = method === 'full' ? '' : `, ${method} at ${significant(share)} of the parameters`;
    terminal.line(`  embedding tables of ${count(users)} and ${count(titles)} rows, 32 dimensions${small}`);
    if (small) terminal.line(`  ${split.join('; ')}`);
    terminal.line(
      '  Each epoch has three losses: the mean over examples, by which runs can be compared; the sum over the last',
    );
    terminal.line(
      "  batch; and the loss of Keras's progress bar, the mean over batches with the last batch counted twice.",
    );
  },
  clustered({ epoch, table, h1, h2, emptyClusters, seconds, warning }, terminal) {
    const health = `H1 ${h1.toFixed(2)} and H2 ${h2.toFixed(2)} bits, ${count(emptyClusters)} empty clusters`;
    terminal.line(`  epoch ${epoch}: ${table} clustered, ${health}, ${duration(1000 * seconds)}`);
    if (warning) terminal.note(warning);
  },
  compressed({ method, fullBytes, bytes: own, fullTop100, top100 }, terminal) {
    const change = top100 - fullTop100;
    terminal.line(
      `\n${method}: tables of ${bytes(own)} instead of ${bytes(fullBytes)}, ${significant(fullBytes / own)} × smaller`,
    );
    terminal.line(
      `  top-100 accuracy ${top100.toFixed(4)}, with full tables ${fullTop100.toFixed(4)}: ` +
        `${change < 0 ? '−' : '+'}${Math.abs(change).toFixed(4)}`,
    );
  },
  step(event, terminal) {
    terminal.progress(
      event.share,
      `epoch ${event.epoch}, loss ${significant(event.lossPerExample)} per example, ` +
        `${count(event.examplesPerSecond)} examples/s, ${duration(1000 * event.etaSeconds)} left`,
    );
  },
  epoch(event, terminal) {
    terminal.line(
      `  epoch ${event.epoch}/${event.epochs}  loss per example ${event.perExample.toFixed(4)}  ` +
        `last batch ${event.lastBatch.toFixed(0)}  Keras's bar ${event.kerasBar.toFixed(0)}  ${duration(1000 * event.seconds)}`,
    );
  },
  evaluation(event, terminal) {
    terminal.line(`\nEvaluation on the test part (${event.index}, ${duration(1000 * event.seconds)})`);
    const rows = Object.entries(event.metrics).map(([name, value]) => [`  ${name}`, value.toFixed(4)]);
    rows.push(
      ['  loss per example', event.perExample.toFixed(4)],
      ['  loss of the last batch', event.lastBatch.toFixed(0)],
    );
    for (const line of table(rows)) terminal.line(line);
  },
  shortlist(event, terminal, before) {
    const shortlist = JSON.stringify(event.hits);
    if (shortlist === before.shortlist) {
      terminal.line(
        `  shortlist of user ${event.user} (${event.index}): the same ${event.hits.length} titles and scores`,
      );
      return;
    }
    before.shortlist = shortlist;
    terminal.line(`\nShortlist of user ${event.user} (${event.index})`);
    for (const { title, score } of event.hits) terminal.line(`  ${score.toFixed(4).padStart(8)}  ${title}`);
  },
  latency(event, terminal) {
    terminal.line(
      `  latency of a query, ${count(event.candidates)} candidates: median ${duration(event.p50Ms)}, ` +
        `p99 ${duration(event.p99Ms)} (${count(event.queries)} queries)`,
    );
  },
  corpus({ candidates, copies }, terminal) {
    terminal.line(
      `\nEfficient serving: ${count(candidates)} candidates, every movie and ${count(copies)} shrunk copies of it`,
    );
  },
  building({ leaves, step, share }, terminal) {
    terminal.progress(share, `building ScaNN with ${count(leaves)} leaves: ${step}`);
  },
  built({ leaves, seconds, sizeBytes }, terminal) {
    terminal.line(`\nScaNN with ${count(leaves)} leaves: built in ${duration(1000 * seconds)}, ${bytes(sizeBytes)}`);
  },
  recall({ index, k, recall }, terminal) {
    terminal.line(`  ${index} (leaves/searched/reordered): recall@${k} ${recall.toFixed(4)}`);
  },
  tuned({ targetRecall, k, tried, leavesToSearch, reorder, groupBound, recall, codes }, terminal) {
    terminal.line(
      `\nTuned for recall@${k} ${targetRecall} (${count(tried)} settings tried): ${leavesToSearch} leaves searched, ` +
        `${reorder} reordered, bound ${significant(groupBound)}: recall ${recall.toFixed(4)}, ${count(codes)} codes a query`,
    );
  },
  saved(event, terminal) {
    terminal.line(`\nSaved ${event.path} (${bytes(event.sizeBytes)}) in ${duration(1000 * event.seconds)}`);
  },
  loaded(event, terminal) {
    const same = event.identical ? 'the same titles and the same scores, bit for bit' : 'DIFFERENT results';
    terminal.line(`Loaded in ${duration(1000 * event.seconds)}; the same query gives ${same}`);
  },
};

/** Returns a function that prints events. */
export function shower(): (event: TutorialEvent, terminal: Terminal) => void {
  const before: Before = { shortlist: '' };
  return (event, terminal) => {
    (SHOWN[event.event] as (event: TutorialEvent, terminal: Terminal, before: Before) => void)(event, terminal, before);
  };
}
