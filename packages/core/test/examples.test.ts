/** Every example runs to its end and prints something. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../../../..');
const folder = join(root, 'examples/build');

for (const name of readdirSync(folder).filter((file) => file.endsWith('.js'))) {
  test(`examples/${name}`, () => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [join(folder, name)], {
      encoding: 'utf8',
      cwd: root,
    });
    assert.equal(status, 0, stderr);
    assert.ok(stdout.length > 0);
  });
}
