/** Programs that a bundler made of the library: they run with all their threads, and are as small as what they use. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { bundleOf } from './bundle.ts';
import { type FlowResult, flow } from './flow.ts';

const folder = mkdtempSync(join(tmpdir(), 'shortlist-bundled-'));
after(() => rmSync(folder, { recursive: true }));

/**
 * Bytes after gzip; everything is some 199 kB: the recommenders, features of towers, attention over sequences, histories,
 * segments, rows in a file, losses, optimizers, groups of centroids and k-means along lists of neighbours. A program that only
 * indexes and queries is 59.8 kB; test/bundled-size.test.ts, which every run has, bounds the same program with a faster bundler.
 */
const QUERY_BYTES_MAX = 60_000;
const EVERYTHING_BYTES_MAX = 201_000;

async function outputOf(name: string, program: Uint8Array): Promise<unknown> {
  const file = join(folder, name);
  writeFileSync(file, program);
  const env = { ...process.env, SHORTLIST_THREADS: '2' };
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [file], { env });
  assert.equal(stderr, '');
  return JSON.parse(stdout);
}

test('bundled for Node, as a module and minified or as CommonJS, it does the same on two threads', async () => {
  const { threads: _, ...expected } = await flow();
  assert.deepEqual([expected.isSameLoaded, expected.added], [[true, true], 'new']);
  for (const [name, options] of [
    ['program.mjs', { format: 'esm', minify: true, keepNames: true }],
    // CommonJS has no import.meta.
    ['program.cjs', { format: 'cjs' }],
  ] as const) {
    const program = await bundleOf('program.js', { platform: 'node', ...options });
    const { threads, ...result } = (await outputOf(name, program)) as FlowResult;
    assert.deepEqual(result, expected);
    assert.equal(threads, 2);
  }
});

test('a program that indexes and queries takes no more than it uses', async () => {
  const options = { platform: 'browser', format: 'esm', minify: true } as const;
  const query = await bundleOf('query-program.js', options);
  assert.deepEqual(await outputOf('query.mjs', query), [0, 0]);
  const sizes = [query, await bundleOf('../../../src/index.js', options)].map(
    (bytes) => gzipSync(bytes, { level: 9 }).length,
  );
  assert.ok(sizes[0]! <= QUERY_BYTES_MAX, `index and query: ${sizes[0]} bytes`);
  assert.ok(sizes[1]! <= EVERYTHING_BYTES_MAX, `everything: ${sizes[1]} bytes`);
});

test('the measurements of a build are in a program that uses their code, and without it the index says what to use', async () => {
  const options = { platform: 'browser', format: 'esm', minify: true } as const;
  const all = [true, true, true];
  assert.deepEqual(await outputOf('measured.mjs', await bundleOf('measured-program.js', options)), [all, all]);
  assert.deepEqual(await outputOf('alone.mjs', await bundleOf('measured-alone-program.js', options)), [
    'targetRecall: expected recallTarget(0.9) of shortlist, which brings its code, got 0.9 alone',
    'reorder: rows are kept as float32; measuredRows.name of shortlist brings the code that chooses a format',
  ]);
});

test('a rotation is in a program that uses its code, and the name alone says what to use', async () => {
  const options = { platform: 'browser', format: 'esm', minify: true } as const;
  assert.deepEqual(await outputOf('rotation.mjs', await bundleOf('rotation-program.js', options)), [0]);
  assert.deepEqual(await outputOf('name.mjs', await bundleOf('rotation-name-program.js', options)), [
    'rotation: expected balancedPca.name or measuredRotation.name of shortlist, which bring its code, got "balanced-pca" alone',
    'rotation: expected balancedPca.name or measuredRotation.name of shortlist, which bring its code, got "auto" alone',
  ]);
});
