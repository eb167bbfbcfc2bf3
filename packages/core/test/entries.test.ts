/** The entry points of the package: each is exported and described, and every public name is in one of them only. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';

const PACKAGE = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
const SOURCES = join(PACKAGE, 'src');
const entries = readdirSync(join(SOURCES, 'entries')).map((file) => file.replace(/\.ts$/, ''));
const files = ['index.ts', ...entries.map((entry) => `entries/${entry}.ts`)];
const textOf = (file: string): string => readFileSync(join(SOURCES, file), 'utf8');

/**
 * The most values at the top level: only those that a quick start needs. Others are in an entry point of their subject.
 */
const TOP_NAMES_MAX = 40;

/** The names that a file re-exports by name, values apart from types. */
function namesOf(file: string): { values: string[]; types: string[] } {
  const [values, types]: [string[], string[]] = [[], []];
  for (const [, type, list] of textOf(file).matchAll(/export (type )?\{([^}]*)\}/g)) {
    for (const name of list!.split(',').map((each) => each.trim())) {
      if (name === '') continue;
      if (type || name.startsWith('type ')) types.push(name.replace(/^type /, ''));
      else values.push(name);
    }
  }
  return { values, types };
}

test('the manifest exports every entry point, with types, modules for bundlers and the bundle for Node', () => {
  const { exports } = JSON.parse(readFileSync(join(PACKAGE, 'package.json'), 'utf8')) as { exports: object };
  const paths = entries.map((entry) => [`./${entry}`, `entries/${entry}`] as const);
  const expected = [['.', 'index'] as const, ...paths].map(([path, name]) => {
    const made = `./build/src/${name}`;
    // The first condition that a loader knows is taken, so "module", which bundlers know, is before "node".
    return [
      path,
      { types: `${made}.d.ts`, module: `${made}.js`, node: `./build/node/${name}.js`, default: `${made}.js` },
    ];
  });
  assert.deepEqual(exports, { ...Object.fromEntries(expected), './package.json': './package.json' });
});

test('the bundle for Node has the names of every entry point, and is two files', async () => {
  for (const name of ['index', ...entries.map((entry) => `entries/${entry}`)]) {
    const [modules, bundle] = (await Promise.all(
      ['src', 'node'].map((folder) => import(pathToFileURL(join(PACKAGE, 'build', folder, `${name}.js`)).href)),
    )) as [Record<string, unknown>, Record<string, unknown>];
    assert.deepEqual(Object.keys(bundle), Object.keys(modules), name);
    for (const [key, value] of Object.entries(modules)) {
      assert.equal(typeof bundle[key], typeof value, key);
      if (typeof value === 'function') assert.equal((bundle[key] as () => void).name, value.name);
    }
    const imported = readFileSync(join(PACKAGE, 'build/node', `${name}.js`), 'utf8').match(/from "[^"]*"/g);
    assert.deepEqual(imported, [`from "${name === 'index' ? './' : '../'}library.js"`]);
  }
});

test('positions in the bundle for Node are those of the sources, whose text its map has', () => {
  const map = JSON.parse(readFileSync(join(PACKAGE, 'build/node/library.js.map'), 'utf8')) as {
    sources: string[];
    sourcesContent: (string | null)[];
  };
  const at = map.sources.findIndex((source) => source.endsWith('src/errors/errors.ts'));
  assert.equal(map.sourcesContent[at], textOf('errors/errors.ts'));
  assert.deepEqual(
    map.sources.filter((source, i) => !source.endsWith('.ts') || !map.sourcesContent[i]),
    [],
  );
});

test('every public name has one entry point, which only re-exports and says what it is for', () => {
  const homes = new Map<string, string>();
  for (const file of files) {
    const { values, types } = namesOf(file);
    for (const name of [...values, ...types]) {
      assert.equal(homes.get(name), undefined, `${name} is exported by ${homes.get(name)} and by ${file}`);
      homes.set(name, file);
    }
    const code = textOf(file).replace(/\/\*\*[\s\S]*?\*\/|\/\/.*|export (type )?(\{[^}]*\}|\*) from '[^']+';/g, '');
    assert.equal(code.trim(), '', `${file} does more than re-export`);
    const path = file === 'index.ts' ? 'shortlist' : `shortlist/${file.slice('entries/'.length, -'.ts'.length)}`;
    assert.ok(textOf(file).startsWith('/**') && textOf(file).includes(`\`${path}\``), `${file} does not name ${path}`);
  }
});

test('the top level has few values', () => {
  const { values } = namesOf('index.ts');
  assert.ok(values.length <= TOP_NAMES_MAX, `${values.length} values stand at the top level`);
});
