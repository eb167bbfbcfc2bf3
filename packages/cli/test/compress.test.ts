/** shortlist compress on planted data and on small lists: order of methods, resuming, files, errors. */
import assert from 'node:assert/strict';
import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { run } from '../src/run.ts';

const folder = mkdtempSync(join(tmpdir(), 'shortlist-compress-'));
after(() => rmSync(folder, { recursive: true }));

async function compress(
  argv: string[],
  abort = new AbortController(),
  stopsAt = '"method":"compositional"',
): Promise<{ code: number; out: string; err: string }> {
  const written = { out: '', err: '' };
  const code = await run(['compress', ...argv], {
    stdout: {
      write: (text) => {
        written.out += text;
        if (text.includes(stopsAt)) abort.abort(new Error('Ctrl-C'));
      },
    },
    stderr: { write: (text) => (written.err += text) },
    variables: { SHORTLIST_OFFLINE: '1' },
    now: () => performance.now(),
    signal: abort.signal,
  });
  return { code, ...written };
}

interface Line {
  event: string;
  method?: string;
  split?: string[];
  bytes?: number;
  figures?: Record<string, number>;
  summaries?: { method: string; budget: string; figures: Record<string, number>; bytes: number; gapClosed?: number }[];
}

const lines = (text: string): Line[] =>
  text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Line);

test('planted data: methods run in their order, and an interrupted run is continued', async () => {
  const out = join(folder, 'planted');
  const methods = 'full,product,residual,cqr,cqr-co-occurrence,cqr-als,compositional,hashing-trick';
  const argv = [
    '--data',
    'planted',
    '--out',
    out,
    '--budgets',
    '1/4',
    '--seeds',
    '1',
    '--epochs',
    '5',
    '--methods',
    methods,
  ];
  const first = await compress([...argv, '--json']);
  assert.equal(first.code, 130, first.err);
  assert.ok(
    first.err.includes(`compress: interrupted, the same command continues from the 7 results in ${out}`),
    first.err,
  );
  // As if the process had been killed while it wrote a line.
  appendFileSync(join(out, 'results.jsonl'), '{"method":"hash');
  const second = await compress(argv);
  assert.equal(second.code, 0, second.err);
  assert.match(second.out, /8 jobs, 7 of them already done/);
  const { summaries } = JSON.parse(readFileSync(join(out, 'table.json'), 'utf8')) as {
    summaries: NonNullable<Line['summaries']>;
  };
  const loss = Object.fromEntries(summaries.map(({ method, figures }) => [method, figures.crossEntropy!]));
  const [hashing, compositional, cqr] = [loss['hashing-trick']!, loss.compositional!, loss.cqr!];
  // Measured: 0.636, 0.566, 0.500, and 0.28 for the full table and what is quantized from it.
  assert.ok(hashing > compositional + 0.03 && compositional > cqr + 0.03 && cqr > loss.full!, JSON.stringify(loss));
  // Measured: 0.02.
  assert.ok(loss['cqr-co-occurrence']! < cqr - 0.1, JSON.stringify(loss));
  assert.ok(loss['cqr-als']! < cqr - 0.1, JSON.stringify(loss));
  assert.ok(Math.abs(loss.product! - loss.full!) < 0.02 && Math.abs(loss.residual! - loss.full!) < 0.02);
  assert.match(readFileSync(join(out, 'table.csv'), 'utf8'), /^method,budget,seeds,crossEntropy,auc,parameters,bytes/);
  assert.match(readFileSync(join(out, 'figure.svg'), 'utf8'), /^<svg .*<\/svg>\n$/s);
  const other = await compress([...argv, '--columns', '4']);
  assert.match(other.err, /choose another --out/);
});

test('every method runs and reports its matrices', async () => {
  const argv = ['--data', 'planted', '--budgets', '1/4', '--seeds', '1', '--epochs', '1'];
  const where = ['--out', join(folder, 'all'), '--json'];
  const { code, out, err } = await compress([...argv, ...where], new AbortController(), 'never');
  assert.equal(code, 0, err);
  const results = lines(out).filter(({ event }) => event === 'result');
  assert.equal(results.length, 15);
  for (const { method, split, bytes, figures } of results) {
    assert.ok(Number.isFinite(figures!.crossEntropy) && bytes! > 0, method);
    assert.match(split!.join(), /^[\d,]+ × \d+( \+ [\d,]+ × \d+)* floats/, method);
  }
});

test('lists of items: recall is measured, and budgets that a method cannot meet are reported', async () => {
  const data = join(folder, 'lists');
  mkdirSync(data);
  const list = (user: number, from: number): string =>
    `${user} ${Array.from({ length: 6 }, (_, i) => ((user % 4) * 10 + ((user + i + from) % 10)) % 40).join(' ')}\n`;
  writeFileSync(join(data, 'train.txt'), Array.from({ length: 60 }, (_, user) => list(user, 0)).join(''));
  writeFileSync(join(data, 'test.txt'), Array.from({ length: 60 }, (_, user) => list(user, 6)).join(''));
  const argv = ['--data', data, '--out', join(folder, 'out'), '--budgets', '1/4', '--seeds', '1', '--epochs', '3'];
  const { code, out, err } = await compress([
    ...argv,
    '--methods',
    'full,product,cqr-one-step,quotient-remainder,dhe',
    '--json',
  ]);
  assert.equal(code, 0, err);
  const summary = lines(out).at(-1)!.summaries!;
  assert.deepEqual(
    summary.map(({ method }) => method),
    ['full', 'product', 'cqr-one-step', 'quotient-remainder', 'dhe'],
  );
  assert.ok(summary[0]!.figures['recall@20']! > 0 && summary[0]!.figures['recall@20']! <= 1);
  const refused = await compress([
    '--data',
    data,
    '--out',
    join(folder, 'refused'),
    '--methods',
    'quotient-remainder',
    '--budgets',
    '1/20',
    '--seeds',
    '1',
  ]);
  assert.match(refused.out + refused.err, /refused: budget: expected at least \d+ parameters/);
});

test('wrong arguments are refused', async () => {
  for (const [argv, message] of [
    [['--budgets', '2'], /--budgets: expected shares such as 1\/16 in \(0, 1\], got "2"/],
    [['--budgets', '1/x'], /--budgets/],
    [['--methods', 'magic'], /--methods: expected all or some of full, .*, got magic/],
    [['--seeds', '0'], /--seeds: expected a whole number/],
  ] as const) {
    const { code, err } = await compress([...argv]);
    assert.equal(code, 2);
    assert.match(err, message);
  }
  writeFileSync(join(folder, 'train.txt'), '0 1 x\n');
  const { code, err } = await compress(['--data', folder]);
  assert.equal(code, 1);
  assert.match(err, /train.txt, line 1: expected a user and items, numbers from 0/);
});

test('without data the output names the synthetic data', async () => {
  const abort = new AbortController();
  const home = mkdtempSync(join(folder, 'home-'));
  let [out, err] = ['', ''];
  await run(['compress', '--methods', 'full', '--seeds', '1', '--epochs', '1', '--out', join(folder, 'synthetic')], {
    stdout: {
      write: (text) => {
        out += text;
        if (text.includes('jobs')) abort.abort(new Error('Ctrl-C'));
      },
    },
    stderr: { write: (text) => (err += text) },
    variables: { SHORTLIST_OFFLINE: '1', HOME: home, XDG_CACHE_HOME: home },
    now: () => performance.now(),
    signal: abort.signal,
  });
  assert.match(out, /Task: clicks; synthetic data of the shape of MovieLens-100K: 943 users/);
  assert.match(err, /MovieLens-100K was not found: synthetic data .*SHORTLIST_OFFLINE is set/);
});
