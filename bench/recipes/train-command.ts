/** Runs `shortlist train` with its defaults in a separate process, which reads a CSV and writes a bundle. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Interactions } from 'shortlist';

const COMMAND = fileURLToPath(new URL('../../../packages/cli/bin/shortlist.js', import.meta.url));
/** The command is ended after this time; its budget is five minutes. */
const SECONDS_MAX = 900;

/** A finished command. */
export interface TrainedBundle {
  /** From the start of the process to its end. */
  readonly seconds: number;
  /** The model and settings that it chose. */
  readonly chosen: string;
  readonly sizeBytes: number;
}

/** An event of `shortlist train --json`. */
interface TrainOutput {
  readonly event: string;
  readonly model?: unknown;
  readonly settings?: Readonly<Record<string, number>>;
  readonly recall?: number;
  readonly seconds?: number;
  readonly sizeBytes?: number;
}

/** Writes interactions as a CSV with a header; the rows keep their order, which is that of time where there are no times. */
export async function writeCsv(path: string, { users, items, times, length }: Interactions): Promise<void> {
  const out = createWriteStream(path);
  out.write(`user,item${times ? ',timestamp' : ''}\n`);
  for (let row = 0; row < length; row++) {
    const pair = `${users.vocabulary[users.codes[row]!]},${items.vocabulary[items.codes[row]!]}`;
    const line = times ? `${pair},${times[row]}\n` : `${pair}\n`;
    if (!out.write(line)) await once(out, 'drain');
  }
  out.end();
  await once(out, 'close');
}

/**
 * Trains on a CSV with the defaults of the command, apart from the seed.
 *
 * @throws {Error} when the command fails, with its output
 */
export async function trainCommand(csv: string, bundle: string, seed: number): Promise<TrainedBundle> {
  const start = performance.now();
  const argv = [COMMAND, 'train', csv, '--out', bundle, '--seed', String(seed), '--json'];
  const child = spawn(process.execPath, argv, { stdio: ['ignore', 'pipe', 'pipe'], timeout: 1000 * SECONDS_MAX });
  let complaint = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaint += text;
  });
  const ended = once(child, 'close') as Promise<[code: number | null, signal: string | null]>;
  const found = { chosen: '', sizeBytes: 0 };
  for await (const line of createInterface({ input: child.stdout })) {
    const { event, ...facts } = JSON.parse(line) as TrainOutput;
    const settings = `${facts.model} ${JSON.stringify(facts.settings)}`;
    if (event === 'chosen') found.chosen = settings;
    if (event === 'saved') found.sizeBytes = facts.sizeBytes!;
    if (event === 'trial') console.error(`  ${settings}: ${facts.recall!.toFixed(4)} (${facts.seconds!.toFixed(1)} s)`);
  }
  const [code, signal] = await ended;
  if (code !== 0) throw new Error(`shortlist train ended with ${signal ?? code}: ${complaint}`);
  return { seconds: (performance.now() - start) / 1000, ...found };
}
