/** The text and the JSON output of the tutorial, on synthetic data: no data, no network. */
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { run } from '../src/run.ts';
import { isThorough } from './thorough.ts';

interface Ran {
  code: number;
  stdout: string;
  stderr: string;
}

async function shortlist(
  argv: string[],
  { abort, tty = false }: { abort?: AbortController; tty?: boolean } = {},
): Promise<Ran> {
  const written = { stdout: '', stderr: '' };
  const home = mkdtempSync(join(tmpdir(), 'shortlist-test-'));
  const code = await run(argv, {
    stdout: { write: (text) => (written.stdout += text) },
    stderr: {
      isTTY: tty,
      write: (text) => {
        written.stderr += text;
        if (abort && text.includes('epoch 1')) abort.abort(new Error('Ctrl-C'));
      },
    },
    variables: { SHORTLIST_OFFLINE: '1', HOME: home, XDG_CACHE_HOME: home },
    now: () => performance.now(),
    signal: (abort ?? new AbortController()).signal,
  });
  rmSync(home, { recursive: true });
  return { code, ...written };
}

test('every step is printed, and the loaded bundle gives the same results', async () => {
  const { code, stdout, stderr } = await shortlist(['tutorial', '--copies', '12', '--epochs', '1']);
  assert.equal(code, 0, stderr);
  for (const part of [
    /^Data: synthetic data/,
    /80,000 to train on, 20,000 to test; 1,664 different titles/,
    /epoch 1\/1 {2}loss per example \d\.\d{4} {2}last batch \d+ {2}Keras's bar \d+/,
    /factorized_top_k\/top_100_categorical_accuracy +0\.[2-9]\d+/,
    /latency of a query, 1,682 candidates: median/,
    /Shortlist of user 42/,
    /Saved .*tutorial\.shortlist/,
    /the same titles and the same scores, bit for bit/,
    /Efficient serving: 21,866 candidates, every movie and 12 shrunk copies of it/,
    /ScaNN with 2,000 leaves: built in/,
    /factorized_top_k\/top_100_index_recall +0\.9\d+/,
    /Tuned for recall@10 0\.99 \(\d+ settings tried\): \d+ leaves searched, \d+ reordered, .*recall 0\.99\d+|recall 1\.0000/,
    /ScaNN 1000\/70\/400 \(leaves\/searched\/reordered\): recall@10 0\.9\d+|recall@10 1\.0000/,
  ]) {
    assert.match(stdout, part);
  }
  // A shortlist is printed only when it differs from the last one.
  assert.match(stdout, /shortlist of user 42 \(BruteForce\): the same 5 titles and scores/);
  const titles = stdout.match(/^ +\d\.\d{4} {2}\S.*$/gm) ?? [];
  assert.equal(titles.length % 5, 0);
  for (let at = 5; at < titles.length; at += 5) {
    assert.notDeepEqual(titles.slice(at - 5, at), titles.slice(at, at + 5));
  }
  assert.doesNotMatch(stderr, /^ *\d+ %/m);
  assert.ok(!stdout.includes('\u001b') && !stderr.includes('\u001b'), 'a control character without a terminal');
});

type Event = Record<string, unknown>;
const eventsOf = ({ stdout }: Ran): Event[] =>
  stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Event);

/** A run of three epochs without an interruption, which two tests use. */
let whole: Promise<Ran> | undefined;
const runWhole = (): Promise<Ran> => {
  whole ??= shortlist(['tutorial', '--json', '--copies', '0', '--user', '7']);
  return whole;
};

test('--json prints one object a line and nothing else; the shortlist is printed twice, equal', async () => {
  const ran = await runWhole();
  assert.equal(ran.code, 0);
  const events = eventsOf(ran);
  const named = (name: string): Event[] => events.filter(({ event }) => event === name);
  assert.equal(named('step').length, 30);
  const [before, after] = named('shortlist');
  assert.equal((before!.hits as unknown[]).length, 5);
  assert.deepEqual(before!.hits, after!.hits);
  assert.equal(named('loaded')[0]!.identical, true);
});

test('Ctrl-C during training ends with 130, keeps a checkpoint, and --resume continues from it', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'shortlist-test-'));
  const file = join(folder, 'kept');
  const first = await shortlist(['tutorial', '--resume', file]);
  assert.equal(first.code, 1);
  assert.match(first.stderr, /kept: cannot be read: there is no such file or folder \(ENOENT\) \(ERR_IO\)/);
  const here = process.cwd();
  process.chdir(folder);
  try {
    const broken = await shortlist(['tutorial'], { abort: new AbortController(), tty: true });
    assert.equal(broken.code, 130);
    assert.match(broken.stderr, /--resume tutorial\.checkpoint/);
    assert.deepEqual(readdirSync(folder), ['tutorial.checkpoint']);
    const argv = ['tutorial', '--json', '--copies', '0', '--resume', 'tutorial.checkpoint'];
    const resumed = await shortlist(argv);
    const epochLoss = (ran: Ran): unknown[] =>
      eventsOf(ran).flatMap(({ event, perExample }) => (event === 'epoch' ? [perExample] : []));
    assert.deepEqual(epochLoss(resumed), epochLoss(await runWhole()));
  } finally {
    process.chdir(here);
    rmSync(folder, { recursive: true });
  }
});

test('--embedding trains full and compressed tables, compares them, and serves the compressed ones', async () => {
  const argv = ['tutorial', '--embedding', 'cqr', '--budget', '1/10', '--epochs', '3'];
  const { code, stdout, stderr } = await shortlist(argv);
  assert.equal(code, 0, stderr);
  for (const part of [
    /tables of 944 and 1,665 rows, 32 dimensions\n/,
    /tables of 944 and 1,665 rows, 32 dimensions, cqr at 0\.100 of the parameters/,
    / {2}\d+ × 4 floats, \d+ bytes of pointers and hashes; [\d,]+ × 4 floats/,
    /epoch 2: queryTower clustered, H1 \d\.\d\d and H2 \d+\.\d\d bits, \d+ empty clusters/,
    /cqr: tables of [\d.]+ KiB instead of 326 KiB, [67]\.\d+ × smaller/,
    /top-100 accuracy 0\.\d{4}, with full tables 0\.\d{4}: [−+]0\.\d{4}/,
    /the same titles and the same scores, bit for bit/,
  ]) {
    assert.match(stdout, part);
  }
  assert.doesNotMatch(stdout, /Efficient serving/);
  // compress.test.ts trains with every method; here another one than cqr shows that the option reaches the tables.
  for (const method of isThorough ? ['cqr-co-occurrence', 'product', 'hashing-trick'] : ['product']) {
    const events = eventsOf(await shortlist(['tutorial', '--embedding', method, '--json', '--epochs', '1']));
    const { bytes, fullBytes, top100 } = events.find(({ event }) => event === 'compressed') as Record<string, number>;
    assert.ok(bytes! < 0.4 * fullBytes! && top100! > 0.03, `${method}: ${bytes} of ${fullBytes}, ${top100}`);
  }
  for (const method of ['what', 'toString', '__proto__']) {
    assert.match(
      (await shortlist(['tutorial', '--embedding', method])).stderr,
      /--embedding: expected one of full, product/,
    );
  }
  assert.match(
    (await shortlist(['tutorial', '--embedding', 'cqr', '--resume', 'x'])).stderr,
    /--resume: not allowed with --embedding/,
  );
});

test('wrong arguments are refused with a hint', async () => {
  assert.equal((await shortlist(['nonsense'])).code, 2);
  const epochs = await shortlist(['tutorial', '--epochs', 'many']);
  assert.equal(epochs.code, 2);
  assert.match(
    epochs.stderr,
    /--epochs: expected a whole number of at least 1, got "many"\nTry: shortlist tutorial --help/,
  );
  assert.equal((await shortlist(['tutorial', '--what'])).code, 2);
  const missing = await shortlist(['tutorial', '--data', join(tmpdir(), 'nothing-here')]);
  assert.equal(missing.code, 1);
  assert.match(missing.stderr, /nothing-here/);
  assert.match((await shortlist(['--version'])).stdout, /^\d+\.\d+\.\d+\n$/);
});
