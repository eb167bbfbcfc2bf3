// Run the compiled tests: everything but test/slow, or with --slow everything under test/slow.
// Words after the options pick files whose path contains one of them: `npm test -- topk`.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const words = process.argv.slice(2).filter((word) => !word.startsWith('--'));
const slow = process.argv.includes('--slow');
const files = readdirSync(join(root, 'packages'))
  .map((name) => join(root, 'packages', name, 'build/test'))
  .filter(existsSync)
  .flatMap((folder) => readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name)))
  .filter((file) => file.endsWith('.test.js') && file.includes('/slow/') === slow)
  .map((file) => relative(root, file))
  .filter((file) => words.length === 0 || words.some((word) => file.includes(word)))
  .sort();
if (files.length === 0) {
  console.error(`no test file matches ${words.join(' ')}`);
  process.exit(1);
}
// A file takes some 300 MB and may start a thread a core: on a machine of many cores, one a core would be too much.
const atOnce = Math.min(8, availableParallelism());
const options = ['--enable-source-maps', '--test', `--test-concurrency=${atOnce}`, '--test-reporter=spec'];
const { status } = spawnSync(process.execPath, [...options, ...files], { cwd: root, stdio: 'inherit' });
process.exit(status ?? 1);
