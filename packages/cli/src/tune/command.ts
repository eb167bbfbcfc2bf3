/** `shortlist tune BUNDLE --out FILE`: finds the cheapest search settings that reach a recall, and writes a bundle with them. */

import { DataError, ScaNN, tune as tuneIndex } from 'shortlist';
import { saveBundle } from 'shortlist/node';
import { openBundle } from '../input/bundle.ts';
import { sampledQueries } from '../input/sampled-queries.ts';
import { checkOutput, numberOf, wholeNumberOf } from '../terminal/arguments.ts';
import { type Command, UsageError } from '../terminal/command.ts';
import { count, table } from '../terminal/format-numbers.ts';
import { whenInterrupted } from '../terminal/interrupted.ts';
import { parseArguments } from '../terminal/parse-arguments.ts';
import { Terminal } from '../terminal/terminal.ts';

const OPTIONS = {
  out: { type: 'string' },
  recall: { type: 'string', default: '0.95' },
  k: { type: 'string', default: '10' },
  queries: { type: 'string' },
  force: { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
} as const;

/** Tune. */
export const tune: Command = async (argv, environment) => {
  const { values, positionals } = parseArguments({ args: [...argv], options: OPTIONS, allowPositionals: true });
  const [path, ...more] = positionals;
  if (path === undefined || more.length > 0) {
    throw new UsageError(`tune: expected one bundle, got ${positionals.length}`);
  }
  if (values.out === undefined) throw new UsageError('tune: expected --out FILE, got none');
  const targetRecall = numberOf('recall', values.recall, 0.01, 1);
  const k = wholeNumberOf('k', values.k, 1);
  checkOutput(values.out, values.force);
  const terminal = new Terminal(environment);
  const bundle = await openBundle<string>(path);
  const { index } = bundle;
  if (!(index instanceof ScaNN)) {
    throw new DataError(`${path}: expected an approximate index, got an exact one, which has nothing to tune`);
  }
  const { queries, count: queryCount, description } = await sampledQueries(path, bundle, values.queries);
  terminal.note(`tuned with ${count(queryCount)} ${description}`);
  const report = await tuneIndex(index, {
    ...{ queries, targetRecall, k, signal: environment.signal },
    onProgress: ({ step, done, total }) => terminal.progress(done / total, step),
  }).catch(whenInterrupted('tune', () => 'nothing was written'));
  terminal.clear();
  const { leavesToSearch, reorder, groupBound, recall } = report.chosen;
  index.setSearchSettings({
    numLeavesToSearch: leavesToSearch,
    ...(index.settings.reorder !== false && { numReorderingCandidates: Math.max(index.k, reorder) }),
    groupBound: groupBound === 0 ? false : groupBound,
    tunedK: k,
  });
  await saveBundle(values.out, bundle);
  if (values.json) {
    terminal.line(JSON.stringify({ event: 'tuned', out: values.out, ...report }));
    return 0;
  }
  const rows = report.front.map((point) => [
    point.recall.toFixed(4),
    String(point.leavesToSearch),
    String(point.reorder),
    count(Math.round(point.codes)),
  ]);
  for (const line of table([['recall', 'leaves', 'reordered', 'codes scored'], ...rows])) terminal.line(line);
  const target = report.isTargetReached ? 'target' : 'the highest that was found; target';
  terminal.line(
    `${values.out}: recall@${k} ${recall.toFixed(3)} (${target} ${targetRecall}) with ${leavesToSearch} leaves searched ` +
      `and ${reorder} candidates reordered`,
  );
  return 0;
};
