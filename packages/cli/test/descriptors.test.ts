/** The command under a limit of file descriptors that is too low: one line and exit code 1, no stack. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { lacksDescriptors, NO_DESCRIPTOR } from '../src/terminal/descriptors.ts';

const COMMAND = fileURLToPath(new URL('../src/bin.js', import.meta.url));

test('serve below the number of descriptors that it needs says so in one line', {
  skip: process.platform === 'win32' && 'Windows has no such limit',
}, () => {
  for (const limit of [30, 60, 100]) {
    const shell = ['-c', `ulimit -n ${limit} && exec "$0" "$1" serve bundle.shortlist`, process.execPath, COMMAND];
    const { status, stderr, stdout } = spawnSync('sh', shell, { encoding: 'utf8', timeout: 60_000 });
    assert.deepEqual([status, stdout], [1, ''], `ulimit -n ${limit}`);
    // Node 20 opens the files of many modules at once. Node 24 closes each before it opens the next: it needs few, and then
    // says that there is no bundle, as Node 20 does where the limit suffices.
    const [node] = process.versions.node.split('.');
    if (limit === 30 && Number(node) < 22) assert.equal(stderr, NO_DESCRIPTOR, `ulimit -n ${limit}`);
    else assert.match(stderr, /^shortlist: [^\n]*\(ERR_IO\)\n$/, `ulimit -n ${limit}`);
  }
});

test('an error of the system is told from others, also as a cause', () => {
  const full = Object.assign(new Error('EMFILE: too many open files, open x'), { code: 'EMFILE' });
  assert.ok(lacksDescriptors(full));
  assert.ok(lacksDescriptors(new Error('x: cannot be read', { cause: full })));
  for (const other of [undefined, null, 'EMFILES', new Error('no such file'), { code: 'ENOENT' }]) {
    assert.equal(lacksDescriptors(other), false);
  }
});
