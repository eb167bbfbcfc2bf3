/** Every example runs to its end and prints something. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../../../..');
const names = readdirSync(join(root, 'examples')).filter((file) => file.endsWith('.ts'));

for (const name of names) {
  test(`examples/${name}`, () => {
    const program = join(root, 'examples/build', name.replace(/ts$/, 'js'));
    const { status, stdout, stderr } = spawnSync(process.execPath, [program], { encoding: 'utf8', cwd: root });
    assert.equal(status, 0, stderr);
    assert.ok(stdout.length > 0);
  });
}
