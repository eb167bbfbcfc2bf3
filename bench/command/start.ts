/** Processes of the command: the help page, and one query of a bundle that no process holds. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { type Row, row } from '../harness/rows.ts';
import type { ServedWork } from '../serve/bundle.ts';

const COMMAND = fileURLToPath(new URL('../../../packages/cli/bin/shortlist.js', import.meta.url));
const RUNS = 7;

/** The rows of `--help` and `query`. */
export function startRows({ basePath, candidates, dimensions, users, truth }: ServedWork): Row[] {
  const help = fastest(['--help']);
  const query = fastest(['query', basePath, users[0]!, '--json']);
  const found = query.stdout
    .split('\n')
    .flatMap((line) => (line === '' ? [] : [JSON.parse(line).identifier as string]));
  const recall = found.filter((identifier) => truth[0]!.includes(identifier)).length / truth[0]!.length;
  return [
    row({
      work: 'shortlist --help, from start to end',
      ours: 1000 * help.seconds,
      peer: null,
      unit: 'ms',
      required: { atMost: 150 },
      quality: { 'an empty program of Node, ms': Math.round(1000 * fastest([], ['-e', '0']).seconds) },
    }),
    row({
      work: `shortlist query over ${candidates} × ${dimensions}, from start to end`,
      ours: query.seconds,
      peer: null,
      unit: 's',
      required: { atMost: 1 },
      qualityHolds: recall >= 0.8,
      quality: { 'recall@10 of this user': recall },
    }),
  ];
}

/** The fastest of some runs of the command, or of a program of Node. */
function fastest(argv: readonly string[], program: readonly string[] = [COMMAND]): { seconds: number; stdout: string } {
  let best = { seconds: Number.POSITIVE_INFINITY, stdout: '' };
  for (let run = 0; run < RUNS; run++) {
    const start = performance.now();
    const { status, stdout, stderr } = spawnSync(process.execPath, [...program, ...argv], { encoding: 'utf8' });
    const seconds = (performance.now() - start) / 1000;
    if (status !== 0) throw new Error(`shortlist ${argv.join(' ')}: ${stderr}`);
    if (seconds < best.seconds) best = { seconds, stdout };
  }
  return best;
}
