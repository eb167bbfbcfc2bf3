/** The commands of docs/guide/own-data.md, run as written, on files with the names that the guide uses. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { runCommand } from './fixtures/run-command.ts';
import { tastes } from './fixtures/tastes.ts';

const GUIDE = fileURLToPath(new URL('../../../../docs/guide/own-data.md', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'shortlist-guide-'));
const before = process.cwd();
after(() => {
  process.chdir(before);
  rmSync(folder, { recursive: true });
});

test('the commands of the guide to own data work as written', async () => {
  const blocks = [...readFileSync(GUIDE, 'utf8').matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(([, text]) => text!);
  const lines = blocks.flatMap((text) => text.trimEnd().split('\n'));
  assert.ok(lines.length >= 6, lines.join('\n'));
  process.chdir(folder);
  const { ratings, later, movies } = tastes();
  // The guide queries user 42.
  const named = (text: string): string => text.replaceAll(/^u/gm, '');
  for (const [name, text] of [
    ['ratings.csv', named(ratings)],
    ['later.csv', named(later)],
    ['movies.csv', movies.replace(',genre\n', ',genres\n')],
  ] as const) {
    writeFileSync(name, text);
  }
  for (const line of lines) {
    if (line === 'mkdir -p models') {
      mkdirSync('models');
      continue;
    }
    assert.match(line, /^npx shortlist /);
    const { code, stdout, stderr } = await runCommand(...line.split(' ').slice(2));
    assert.equal(code, 0, `${line}\n${stderr}`);
    if (line.includes(' query ')) assert.match(stdout, /^1 +\d+ +.*Film \d+, the/m);
    if (line.includes(' evaluate ')) assert.match(stdout, /^movies\.shortlist is better than popularity/m);
    if (line.includes(' inspect ')) assert.match(stdout, /^trained: /m);
  }
  assert.deepEqual(readdirSync('models/movies').sort(), ['1', '2']);
});
