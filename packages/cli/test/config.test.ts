/** The configuration file of a project: its sections are arguments of commands, and every option of a help page has an entry. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { CONFIG_FILES, configuredArguments } from '../src/config/config-file.ts';
import { pageOptions } from '../src/config/page-options.ts';
import { configSchema } from '../src/config/schema.ts';
import { COMMAND_NAMES } from '../src/help.ts';
import { runCommand } from './fixtures/run-command.ts';

const folder = mkdtempSync(join(tmpdir(), 'shortlist-config-'));
const start = process.cwd();
before(() => process.chdir(folder));
afterEach(() => {
  for (const file of CONFIG_FILES) rmSync(file, { force: true });
});
after(() => {
  process.chdir(start);
  rmSync(folder, { recursive: true });
});

function configure(config: unknown): void {
  writeFileSync('shortlist.config.json', typeof config === 'string' ? config : JSON.stringify(config));
}

test('the section of a command becomes arguments, and the command line overrides it', async () => {
  configure({
    train: { files: ['a.csv', 'b.csv'], titleColumn: 'name', budget: '5m', strict: true, force: false, k: 5 },
  });
  const all = await configuredArguments('train', []);
  assert.deepEqual(all.argv, ['--title-column=name', '--budget=5m', '--strict', '--k=5', 'a.csv', 'b.csv']);
  assert.equal(all.note, 'shortlist.config.json: files, titleColumn, budget, strict, force, k');
  const some = await configuredArguments('train', ['--budget', '1m', '--k=3', 'c.csv']);
  assert.deepEqual(some.argv, ['--title-column=name', '--strict', '--budget', '1m', '--k=3', 'c.csv']);
  const valued = await configuredArguments('train', ['--budget', '1m']);
  assert.deepEqual(valued.argv.slice(-4), ['a.csv', 'b.csv', '--budget', '1m'], 'the value of an option is no file');
  assert.deepEqual(await configuredArguments('serve', ['x']), { argv: ['x'], note: undefined });
});

test('the spec of a model over features may stand in the configuration itself', async () => {
  const features = { queryTower: { features: {} } };
  configure({ train: { features } });
  assert.deepEqual((await configuredArguments('train', [])).argv, [`--features=${JSON.stringify(features)}`]);
  configure({ train: { features: 5 } });
  await assert.rejects(
    configuredArguments('train', []),
    /train\.features: expected the path of a spec or a spec, got 5/,
  );
});

test('an option that has an opposite is turned off by false', async () => {
  configure({ query: { excludeSeen: false } });
  assert.deepEqual((await configuredArguments('query', ['b'])).argv, ['--no-exclude-seen', 'b']);
});

test('without a file nothing is added', async () => {
  assert.deepEqual(await configuredArguments('train', ['a']), { argv: ['a'], note: undefined });
});

test('a module may be the configuration, also in TypeScript', async () => {
  writeFileSync('shortlist.config.mjs', 'export default { query: { k: 7 } };\n');
  assert.deepEqual((await configuredArguments('query', [])).argv, ['--k=7']);
  writeFileSync('shortlist.config.ts', 'const k: number = 8;\nexport default { query: { k } };\n');
  const typed = await configuredArguments('query', []);
  assert.deepEqual(typed, { argv: ['--k=8'], note: 'shortlist.config.ts: k' });
  writeFileSync('shortlist.config.ts', 'export default {\n');
  await assert.rejects(configuredArguments('query', []), /shortlist\.config\.ts: cannot be run/);
});

test('wrong names and values are refused with their place and the nearest name', async () => {
  for (const [config, message] of [
    ['{', /shortlist\.config\.json: expected JSON, got/],
    ['[]', /expected an object with a section for each command, got \[\]/],
    [{ trian: {} }, /expected the name of a command \(the nearest is train\), got "trian"/],
    [{ train: 5 }, /train: expected an object of options, got 5/],
    [{ train: { itmes: 'a' } }, /train: expected the name of an option \(the nearest is items\), got "itmes"/],
    [{ train: { toString: 'a' } }, /expected the name of an option/],
    [{ train: { items: true } }, /train\.items: expected text or a number, got true/],
    [{ train: { strict: 'yes' } }, /train\.strict: expected true or false, got "yes"/],
    [{ train: { files: [5] } }, /train\.files: expected a path or a list of paths, got \[5\]/],
  ] as const) {
    configure(config);
    await assert.rejects(configuredArguments('train', []), message);
  }
});

test('the command prints the entries that it used, and refuses a wrong file', async () => {
  writeFileSync('ratings.csv', 'user,item\n1,2\n1,3\n2,3\n');
  configure({ inspect: { files: 'ratings.csv' } });
  const { code, stdout, stderr } = await runCommand('inspect');
  assert.equal(code, 0, stderr);
  assert.match(stderr, /^shortlist\.config\.json: files$/m);
  assert.match(stdout, /ratings\.csv/);
  configure({ inspect: { fles: 'ratings.csv' } });
  const refused = await runCommand('inspect');
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /the nearest is files/);
});

test('the type and the schema have every option of every page, and no other', () => {
  const source = fileURLToPath(new URL('../../src/config/contract.ts', import.meta.url));
  const sections = new Map<string, { own: string[]; parents: string[] }>();
  for (const [, name, parents, body] of readFileSync(source, 'utf8').matchAll(
    /interface (\w+) extends ([\w, ]+) \{\n([\s\S]*?)^\}/gm,
  )) {
    const own = [...body!.matchAll(/^ {2}(\w+)\?: (Value|boolean)(?: \| FeatureModelSpec)?;$/gm)].map(
      ([, key, type]) => `${key}: ${type}`,
    );
    sections.set(name!, { own, parents: parents!.split(', ') });
  }
  const entriesOf = (section: string): string[] => {
    const { own, parents } = sections.get(section) ?? { own: [], parents: [] };
    return [...own, ...parents.flatMap(entriesOf)];
  };
  const { properties } = configSchema() as { properties: Record<string, { properties: Record<string, unknown> }> };
  for (const command of COMMAND_NAMES) {
    const options = pageOptions(command);
    const expected = options.map(({ key, hasValue }) => `${key}: ${hasValue ? 'Value' : 'boolean'}`);
    const section = `${command[0]!.toUpperCase()}${command.slice(1)}Section`;
    assert.deepEqual(entriesOf(section).sort(), expected.sort(), section);
    assert.deepEqual(
      Object.keys(properties[command]!.properties).sort(),
      ['files', ...options.map(({ key }) => key)].sort(),
    );
    for (const { name, description } of options) assert.ok(description !== '', `${command} --${name} is not described`);
  }
});
