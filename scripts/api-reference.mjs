// Writes the API reference into docs/api from the docstrings. TypeDoc is installed on first use, outside the workspace.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const folder = join(dirname(fileURLToPath(import.meta.url)), 'api-reference');
const typedoc = join(folder, 'node_modules/typedoc/bin/typedoc');

if (!existsSync(typedoc)) {
  const { status } = spawnSync('npm', ['ci', '--no-audit', '--no-fund'], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  if (status !== 0) {
    console.error('docs/api is not written: TypeDoc could not be installed');
    process.exit(1);
  }
}
const { status } = spawnSync(process.execPath, [typedoc, '--options', join(folder, 'typedoc.json')], {
  stdio: 'inherit',
});
process.exit(status ?? 1);
