/** The entry points of the package: each is exported and described, and every public name is in one of them only. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

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

test('the manifest exports every entry point, with types', () => {
  const { exports } = JSON.parse(readFileSync(join(PACKAGE, 'package.json'), 'utf8')) as { exports: object };
  const paths = entries.map((entry) => [`./${entry}`, `./build/src/entries/${entry}`] as const);
  const expected = [['.', './build/src/index'] as const, ...paths].map(([path, made]) => [
    path,
    { types: `${made}.d.ts`, default: `${made}.js` },
  ]);
  assert.deepEqual(exports, { ...Object.fromEntries(expected), './package.json': './package.json' });
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
