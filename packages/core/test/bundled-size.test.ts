/**
 * The size of a program that only indexes and queries, after the bundler that the build uses, which takes half a second. The
 * bound that README promises is for esbuild, in test/slow/bundlers.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'rolldown';

/** Bytes after gzip: 57,887 when esbuild's were 59,818, of at most 60,000. */
const BYTES_MAX = 58_000;

test('a bundled program that indexes and queries stays small', async () => {
  const { output } = await build({
    input: fileURLToPath(new URL('slow/bundlers/query-program.js', import.meta.url)),
    platform: 'browser',
    write: false,
    logLevel: 'warn',
    // On a busy machine rolldown would advise to make plugins faster.
    checks: { bundlerTimings: false },
    output: { minify: true },
  });
  const bytes = gzipSync(output[0].code, { level: 9 }).length;
  assert.ok(
    bytes <= BYTES_MAX,
    `expected at most ${BYTES_MAX} bytes after gzip, got ${bytes}: docs/decisions/small-bundles.md`,
  );
});
