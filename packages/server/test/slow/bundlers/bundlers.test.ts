/** A program with a server in it, bundled: it runs where the package is left out, and says so where it is not. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type BuildOptions, build } from 'esbuild-wasm';

// Below this package, so that the program finds what was left out of it.
const folder = mkdtempSync(fileURLToPath(new URL('bundled-', import.meta.url)));
after(() => rmSync(folder, { recursive: true }));

async function run(
  name: string,
  options: BuildOptions,
): Promise<{ status: number | null; stdout: string; stderr: string }> {
  const outfile = join(folder, name);
  const entryPoints = [fileURLToPath(new URL('program.js', import.meta.url))];
  await build({ entryPoints, bundle: true, platform: 'node', logLevel: 'error', outfile, ...options });
  return spawnSync(process.execPath, [outfile], { encoding: 'utf8' });
}

test('left out of the bundle the server runs', async () => {
  const external = ['@shortlist/server', 'pino'];
  const { status, stdout, stderr } = await run('external.mjs', { format: 'esm', external });
  assert.deepEqual([status, stdout], [0, 'true\n'], stderr);
});

for (const format of ['esm', 'cjs'] as const) {
  test(`inside a bundle of format ${format} it says in one line what to do`, async () => {
    // These libraries are large, and bundling them takes most of a minute; what is checked comes before they are called.
    const external = ['fastify', '@fastify/*', '@grpc/*', 'prom-client'];
    const { status, stderr } = await run(`inside.${format === 'esm' ? 'mjs' : 'cjs'}`, { format, external });
    assert.equal(status, 1);
    assert.match(stderr, /^\[?Error: @shortlist\/server: expected its own folder .* by --external:@shortlist\/server/m);
    assert.doesNotMatch(stderr, /Dynamic require|^ {4}at /m);
  });
}
