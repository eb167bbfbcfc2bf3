/** The rules of style as a test: the rules of the layout, checked on the sources. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { functionsOf } from './functions.ts';

/** Bottom first. A folder may import itself and any folder on an earlier line. */
const TIERS: readonly string[][] = [
  ['errors'],
  ['checks', 'random'],
  ['memory'],
  ['kernels'],
  ['parallel'],
  ['columns'],
  ['vectors', 'data', 'format', 'least-squares', 'linear-algebra'],
  ['clustering'],
  ['quantization'],
  ['optimizers'],
  ['layers'],
  ['embeddings', 'topk'],
  ['features'],
  ['recommenders', 'als', 'rules'],
  ['metrics', 'towers'],
  ['seen'],
  ['retrieval'],
  ['tuning', 'recipes'],
  ['bundle'],
  ['entries'],
];
/** The same for the server. */
const SERVER_TIERS: readonly string[][] = [
  ['status'],
  ['json', 'tensors'],
  ['attributes'],
  ['servable'],
  ['queue', 'journal'],
  ['models'],
  ['tensorflow', 'inference', 'shortlist', 'access', 'observe'],
  ['context'],
  ['http', 'grpc'],
  ['replicas'],
  ['serve'],
  ['client'],
];
const LINES_MAX = 400;
const FUNCTION_LINES_MAX = 70;
/** Folders whose functions are measured, without tests: a test is a list of cases. */
const PROJECTS = [...['core', 'data', 'server', 'cli'].map((name) => `packages/${name}/src`), 'bench', 'examples'];
/** `file name` of a function that may be longer, and why. */
const LONG_FUNCTIONS: Readonly<Record<string, string>> = {
  'bench/ann/large-set.ts largeSet': 'one measurement from set-up to its table of rows',
  'bench/ann/tfrs.ts batchAndEvaluate': 'one measurement from set-up to its table of rows',
  'bench/tables/quality.ts clicks': 'one measurement from set-up to its table of rows',
};
/** Habits of docstrings that a reader stumbles over, and what to write instead. */
const HABITS: readonly { readonly found: RegExp; readonly instead: string }[] = [
  {
    found: /\/\*\*\s+(?:\*\s+)?(?:What|Where|How|Who|When)\s/g,
    instead: 'begin with the thing itself: "The settings that …", not "What …"',
  },
  { found: /\bone an? (?:row|query|user|item|column|candidate)\b/g, instead: 'write "one per row"' },
  { found: /expected [^'`"]*, got (?:another|others)['`"]/g, instead: 'say what was got' },
  { found: /\bas (?:never|any)(?= *[),;}\]])/g, instead: 'give the value its type' },
];
/** Folders whose docstrings and messages are held to that. */
const PLAIN_FOLDERS = [
  'packages/core/src',
  'packages/core/assembly',
  'packages/server/src',
  'packages/data/src',
  'packages/cli/src',
  'bench',
  'examples',
  'scripts',
];
/** Pairs of files, `importer imported`, whose circle is known, and why. */
const KNOWN_CIRCLES: Readonly<Record<string, string>> = {};
/** Core files that may use Node's modules; everything else also runs in a browser. */
const NODE_FOLDERS = ['parallel', 'data', 'bundle'];

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '../../../..');
const CORE = join(ROOT, 'packages/core/src');

/** TypeScript and AssemblyScript files under a folder, without generated ones. */
function sources(folder: string): string[] {
  return filesEndingIn(folder, /\.ts$/);
}

function filesEndingIn(folder: string, ending: RegExp): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => ending.test(file) && !file.endsWith('.generated.ts') && !file.endsWith('.d.ts'))
    .map((file) => join(folder, file));
}

/** The relative imports of a file, those of types too, as absolute paths. */
function imports(file: string): string[] {
  const text = readFileSync(file, 'utf8');
  return [...text.matchAll(/(import|export)(\s+type)?[^'";]*?from\s+['"](\.[^'"]+)['"]/g)].map(([, , , target]) =>
    resolve(dirname(file), target!),
  );
}

const packages = readdirSync(join(ROOT, 'packages'));
const coreFiles = sources(CORE);
const folderOf = (file: string, root = CORE): string => relative(root, file).split(sep)[0]!;

/** Exceptions that nothing needs any more. */
function settled(exceptions: Readonly<Record<string, string>>, found: ReadonlySet<string>): string[] {
  return Object.keys(exceptions).filter((name) => !found.has(name));
}

function assertDownward(root: string, tiers: readonly string[][]): void {
  const tierOf = (folder: string): number => tiers.findIndex((tier) => tier.includes(folder));
  for (const file of sources(root)) {
    const folder = folderOf(file, root);
    if (folder.endsWith('.ts')) continue;
    assert.notEqual(tierOf(folder), -1, `${folder}/ is in no tier: add it to the tiers and to ARCHITECTURE.md`);
    for (const target of imports(file)) {
      const other = folderOf(target, root);
      assert.ok(
        other === folder || tierOf(other) < tierOf(folder),
        `${relative(ROOT, file)} imports ${other}: ${folder} → ${other} is not downward`,
      );
    }
  }
}

test('imports point only downward', () => {
  assertDownward(CORE, TIERS);
  assertDownward(join(ROOT, 'packages/server/src'), SERVER_TIERS);
});

test('no circle of imports between files, nor one by types alone', () => {
  const named = (file: string): string => relative(ROOT, file).split(sep).join('/');
  const used = new Set<string>();
  const folders = [...packages.map((name) => join('packages', name, 'src')), 'bench', 'examples'];
  for (const folder of folders) {
    const done = new Set<string>();
    const visit = (file: string, path: string[]): void => {
      const pair = `${named(path.at(-1) ?? file)} ${named(file)}`;
      if (path.includes(file) && pair in KNOWN_CIRCLES) used.add(pair);
      else assert.ok(!path.includes(file), `circle: ${[...path, file].map(named).join(' → ')}`);
      if (path.includes(file) || done.has(file) || !existsSync(file)) return;
      for (const target of imports(file)) visit(target, [...path, file]);
      done.add(file);
    };
    for (const file of sources(join(ROOT, folder))) visit(file, []);
  }
  assert.deepEqual(settled(KNOWN_CIRCLES, used), [], 'a known circle is gone: remove its line');
});

test(`no source file is longer than ${LINES_MAX} lines`, () => {
  const folders = packages.flatMap((name) =>
    ['src', 'test', 'assembly'].map((kind) => join(ROOT, 'packages', name, kind)),
  );
  for (const file of [...folders, join(ROOT, 'bench'), join(ROOT, 'examples')].filter(existsSync).flatMap(sources)) {
    const lines = readFileSync(file, 'utf8').split('\n').length;
    assert.ok(lines <= LINES_MAX, `${relative(ROOT, file)}: ${lines} lines`);
  }
});

test(`no function is longer than ${FUNCTION_LINES_MAX} lines, but for those listed with a reason`, () => {
  const files = PROJECTS.flatMap((folder) => sources(join(ROOT, folder))).filter(
    (file) =>
      !/[\\/](?:test|build)[\\/]/.test(file) && readFileSync(file, 'utf8').split('\n').length > FUNCTION_LINES_MAX,
  );
  const functions = functionsOf(files).map((each) => ({
    ...each,
    file: relative(ROOT, each.file).replaceAll('\\', '/'),
  }));
  assert.ok(functions.length > 1000, `expected the functions of all longer files, got ${functions.length}`);
  const long = functions.filter(({ lines }) => lines > FUNCTION_LINES_MAX);
  for (const { file, name, line, lines } of long) {
    assert.ok(`${file} ${name}` in LONG_FUNCTIONS, `${file}:${line} ${name}: ${lines} lines`);
  }
  const found = new Set(long.map(({ file, name }) => `${file} ${name}`));
  assert.deepEqual(settled(LONG_FUNCTIONS, found), [], 'a listed function is short now: remove its line');
});

test('docstrings and messages name their subject first', () => {
  for (const file of PLAIN_FOLDERS.flatMap((folder) => filesEndingIn(join(ROOT, folder), /\.(?:ts|mjs)$/))) {
    const text = readFileSync(file, 'utf8');
    for (const { found, instead } of HABITS) {
      for (const { index, 0: words } of text.matchAll(found)) {
        const line = text.slice(0, index).split('\n').length;
        assert.fail(`${relative(ROOT, file)}:${line} ${JSON.stringify(words)}: ${instead}`);
      }
    }
  }
});

test('core has no dependency, and no package has an install script', () => {
  for (const name of packages) {
    const manifest = JSON.parse(readFileSync(join(ROOT, 'packages', name, 'package.json'), 'utf8'));
    if (name === 'core') {
      for (const kind of ['dependencies', 'peerDependencies', 'optionalDependencies'])
        assert.equal(manifest[kind], undefined);
    }
    for (const script of ['preinstall', 'install', 'postinstall', 'prepare'])
      assert.equal(manifest.scripts?.[script], undefined);
  }
  const lock = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8'));
  for (const [path, entry] of Object.entries<{ hasInstallScript?: boolean; resolved?: string }>(lock.packages)) {
    assert.ok(!entry.hasInstallScript, `${path} has an install script`);
    assert.ok(!entry.resolved?.startsWith('http'), `${path} names a registry's host`);
  }
});

test("Node's modules stay in the folders that need them", () => {
  for (const file of coreFiles.filter((file) => !NODE_FOLDERS.includes(folderOf(file)))) {
    assert.ok(!/from ['"]node:/.test(readFileSync(file, 'utf8')), `${relative(ROOT, file)} imports a Node module`);
  }
});

test('randomness and clocks are handed in, never taken', () => {
  for (const file of coreFiles) {
    const text = readFileSync(file, 'utf8').replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '');
    assert.ok(
      !/Math\.random\(|Date\.now\(/.test(text),
      `${relative(ROOT, file)}: use random/generator.ts, or take a clock`,
    );
  }
});

test('links between the documents lead somewhere', () => {
  const documents = ['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', 'FEATURES.md'].map((name) => join(ROOT, name));
  const pages = readdirSync(join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => join(ROOT, 'docs', name));
  for (const file of [...documents, ...pages]) {
    for (const [, target] of readFileSync(file, 'utf8').matchAll(/\]\(([^)#\s]+)[^)]*\)/g)) {
      if (/^[a-z]+:/.test(target!)) continue;
      assert.ok(
        existsSync(resolve(dirname(file), target!)),
        `${relative(ROOT, file)} links to ${target}, which is not there`,
      );
    }
  }
});

test('the files that ARCHITECTURE.md names exist', () => {
  const files = packages
    .flatMap((name) => ['src', 'assembly', 'test'].map((kind) => join(ROOT, 'packages', name, kind)))
    .filter(existsSync)
    .flatMap(sources)
    .map((file) => file.split(sep).join('/'));
  const named = [...readFileSync(join(ROOT, 'ARCHITECTURE.md'), 'utf8').matchAll(/`([\w/-]+(?:\.\w+)*\.ts)`/g)];
  assert.ok(named.length > 40, `expected the ways through the code, got ${named.length} files`);
  for (const [, name] of named) {
    assert.ok(
      files.some((file) => file.endsWith(`/${name}`)),
      `ARCHITECTURE.md names ${name}, which is not there`,
    );
  }
});

test('ARCHITECTURE.md links every folder', () => {
  const map = readFileSync(join(ROOT, 'ARCHITECTURE.md'), 'utf8');
  for (const folder of TIERS.flat()) {
    assert.ok(map.includes(`(packages/core/src/${folder})`), `${folder}/ is not on the map`);
  }
});
