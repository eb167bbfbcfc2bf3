/**
 * `shortlist index --memory-bytes`: killed in each stage it continues and ends in the same bytes, and all kinds of files give the
 * same index.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text as textOf } from 'node:stream/consumers';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parquetWriteBuffer } from 'hyparquet-writer';
import type { ScaNN } from 'shortlist';
import { recallOf } from 'shortlist/metrics';
import { loadBundle } from 'shortlist/node';
import { Generator } from 'shortlist/random';
import { temporaryFolder } from '../fixtures/files.ts';
import { runCommand } from '../fixtures/run-command.ts';

const BIN = fileURLToPath(new URL('../../src/bin.js', import.meta.url));
const { folder, fileOf } = temporaryFolder();
/** More than the 50,000 rows of the sample, so that the candidates go through runs. */
const [ROWS, D] = [60_000, 4];
/** Less than all rows need, so that they stay in the file. */
const MEMORY_BYTES = 12_000_000;
const generator = new Generator(1);
const numbers = Float32Array.from({ length: ROWS * D }, () => generator.normal());
const bytes = new Uint8Array(numbers.buffer);
const header = new Uint8Array(Uint32Array.of(ROWS, D).buffer);
const fbin = fileOf('vectors.fbin', Buffer.concat([header, bytes]));

/** So many that each stage of a build takes some tenths of a second, in which it can be killed. */
const LARGE_ROWS = 200_000;

const argvOf = (path: string, out: string, memoryBytes: number = MEMORY_BYTES): string[] => [
  ...['index', path, '--out', out, '--memory-bytes', String(memoryBytes), '--measure', 'dot_product'],
];

async function build(path: string, out: string): Promise<Buffer> {
  const { code, stderr } = await runCommand(...argvOf(path, out));
  assert.equal(code, 0, stderr);
  return readFileSync(out);
}

/** Start the command, and kill it, or press Ctrl-C, when a file exists. */
async function stoppedAt(argv: readonly string[], file: string, signal: 'SIGKILL' | 'SIGINT'): Promise<void> {
  const child = spawn(process.execPath, [BIN, ...argv], { stdio: ['ignore', 'ignore', 'pipe'] });
  const text = textOf(child.stderr);
  const closed = new Promise((resolve) => child.on('close', (code, by) => resolve(code ?? by)));
  let isSent = false;
  const timer = setInterval(() => {
    if (!isSent && existsSync(file)) isSent = child.kill(signal);
  }, 1);
  const end = await closed;
  clearInterval(timer);
  assert.equal(end, signal === 'SIGKILL' ? signal : 130, `${file} did not appear: ${await text}`);
  if (signal === 'SIGINT')
    assert.match(await text, /shortlist: index: interrupted, the same command continues \(ERR_ABORTED\)\n$/);
}

test('killed in each stage, it continues and ends in the bytes of a build that was not killed', async () => {
  const data = Float32Array.from({ length: LARGE_ROWS * D }, () => generator.normal());
  const size = new Uint8Array(Uint32Array.of(LARGE_ROWS, D).buffer);
  const path = fileOf('large.fbin', Buffer.concat([size, new Uint8Array(data.buffer)]));
  const [whole, out] = ['whole', 'killed'].map((name) => join(folder, `${name}.shortlist`)) as [string, string];
  const memoryBytes = 2 ** 24;
  assert.equal((await runCommand(...argvOf(path, whole, memoryBytes))).code, 0);
  const argv = argvOf(path, out, memoryBytes);
  for (const stage of [`${out}.untuned.runs/manifest.run`, `${out}.untuned.partial`, `${out}.untuned`]) {
    // The second one continues, so that it may be in a later stage already.
    for (const signal of ['SIGINT', 'SIGKILL'] as const) {
      await stoppedAt(argv, stage, signal);
      assert.ok(!existsSync(out), 'nothing looks like the finished bundle');
    }
  }
  const { code, stderr } = await runCommand(...argv);
  assert.equal(code, 0, stderr);
  assert.match(stderr, /killed\.shortlist\.untuned: continues with the bundle that was built before\n/);
  const expected = readFileSync(whole);
  assert.deepEqual(readFileSync(out), expected);
  const left = readdirSync(folder).filter((name) => name.startsWith('killed'));
  // A save that is killed leaves its temporary file.
  assert.deepEqual(
    left.filter((name) => !name.endsWith('.tmp')),
    ['killed.shortlist'],
  );
  // A bundle that was built of other files is not used.
  writeFileSync(`${out}.untuned`, expected);
  const again = await runCommand(...argv, '--force');
  assert.equal(again.code, 0, again.stderr);
  assert.doesNotMatch(again.stderr, /continues/);
  assert.deepEqual(readFileSync(out), expected);
});

test('of two commands that build one bundle at a time, one is refused', async () => {
  const out = join(folder, 'two.shortlist');
  const results = await Promise.all(
    [0, 1].map(
      () =>
        new Promise<{ code: number | null; text: string }>((resolve) => {
          const child = spawn(process.execPath, [BIN, ...argvOf(fbin, out), '--force'], {
            stdio: ['ignore', 'ignore', 'pipe'],
          });
          let text = '';
          child.stderr.setEncoding('utf8').on('data', (piece: string) => {
            text += piece;
          });
          child.on('close', (code) => resolve({ code, text }));
        }),
    ),
  );
  const [done, refused] = results.toSorted((a, b) => a.code! - b.code!) as [(typeof results)[0], (typeof results)[0]];
  assert.equal(done.code, 0, done.text);
  // On a busy machine the second may begin when the first is done.
  if (refused.code !== 0)
    assert.match(
      refused.text,
      /build\.lock: expected no other build in this folder, got one of process \d+ \(ERR_STATE\)\n$/,
    );
  assert.deepEqual(readFileSync(out), await build(fbin, join(folder, 'alone.shortlist')));
});

/** The vectors as rows of an fvecs file: the width as int32 before each. */
function fvecs(): Uint8Array {
  const words = new Float32Array(ROWS * (D + 1));
  const widths = new Int32Array(words.buffer);
  for (let row = 0; row < ROWS; row++) {
    widths[row * (D + 1)] = D;
    words.set(numbers.subarray(row * D, (row + 1) * D), row * (D + 1) + 1);
  }
  return new Uint8Array(words.buffer);
}

function npy(): Uint8Array {
  const text = `{'descr': '<f4', 'fortran_order': False, 'shape': (${ROWS}, ${D}), }`.padEnd(117);
  return Buffer.concat([Buffer.from(`\u0093NUMPY\u0001\u0000v\u0000${text}\n`, 'latin1'), bytes]);
}

function parquet(): Uint8Array {
  const schema = [
    { name: 'root', num_children: 1 },
    { name: 'embedding', converted_type: 'LIST' as const, repetition_type: 'REQUIRED' as const, num_children: 1 },
    { name: 'list', repetition_type: 'REPEATED' as const, num_children: 1 },
    { name: 'element', repetition_type: 'REQUIRED' as const, type: 'FLOAT' as const },
  ];
  const data = Array.from({ length: ROWS }, (_, row) => [...numbers.subarray(row * D, (row + 1) * D)]);
  return new Uint8Array(parquetWriteBuffer({ schema, columnData: [{ name: 'embedding', data }] }));
}

test('.npy, fvecs, big-ann, Parquet and another bundle give the same index', async () => {
  const paths = [fbin, fileOf('vectors.fvecs', fvecs()), fileOf('vectors.npy', npy()), fileOf('v.parquet', parquet())];
  paths.push(join(folder, 'built-0.shortlist'));
  const answers: unknown[] = [];
  const query = [...numbers.subarray(0, D)];
  for (const [i, path] of paths.entries()) {
    const out = join(folder, `built-${i}.shortlist`);
    await build(path, out);
    const { index, metadata } = await loadBundle<number[], string>(out);
    const { recall } = metadata.index as { recall: number };
    assert.ok(recall > 0.9, `recall ${recall}`);
    answers.push([index.size, recall, index.call([query], 10).hits()]);
  }
  for (const answer of answers.slice(1)) assert.deepEqual(answer, answers[0]);
});

test('the exact results by each measure, of more vectors than the sample holds', async () => {
  for (const measure of ['cosine', 'squared_l2']) {
    const out = join(folder, `${measure}.shortlist`);
    const argv = argvOf(fbin, out).map((word) => (word === 'dot_product' ? measure : word));
    const { code, stderr } = await runCommand(...argv);
    assert.equal(code, 0, stderr);
    const { index, metadata } = await loadBundle<number[], string>(out);
    const { recall } = metadata.index as { recall: number };
    // The command used 500 rows at equal distances as queries; an exact call of the index finds the same recall.
    const data = Float32Array.from({ length: 500 * D }, (_, i) => {
      const row = Math.floor((Math.floor(i / D) * ROWS) / 500);
      return numbers[row * D + (i % D)]!;
    });
    const queries = { data, dimensions: D } as unknown as number[][];
    assert.ok('callExactly' in index);
    const exact = (index as ScaNN<number[], string>).callExactly(queries, 10);
    const found = index.call(queries, 10);
    assert.ok(
      Math.abs(recallOf(found, exact) - recall) < 0.002,
      `${recallOf(found, exact)}, the command says ${recall}`,
    );
  }
});
