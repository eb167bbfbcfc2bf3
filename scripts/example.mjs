// Run one of the examples by its name: `npm run example cqr-theorem`; without a name, list them.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const examples = join(dirname(fileURLToPath(import.meta.url)), '../examples');
const [name, ...rest] = process.argv.slice(2);
const file = join(examples, 'build', `${name}.js`);
if (!name || !existsSync(file)) {
  const names = readdirSync(examples)
    .filter((entry) => entry.endsWith('.ts'))
    .map((entry) => entry.slice(0, -3));
  console.error(`usage: npm run example NAME, one of: ${names.join(', ')}`);
  process.exit(2);
}
process.exit(spawnSync(process.execPath, [file, ...rest], { stdio: 'inherit' }).status ?? 1);
