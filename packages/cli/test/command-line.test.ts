/** The command in a shell: help, misspelt words, a closed pipe, and a clone that was not built. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { COMMAND_NAMES, help, optionsOf } from '../src/help.ts';
import { runCommand } from './fixtures/run-command.ts';

const BIN = fileURLToPath(new URL('../../bin/shortlist.js', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'shortlist-command-'));
after(() => rmSync(folder, { recursive: true }));

test('each command has its own page, and the overview names every command', async () => {
  for (const argv of [[], ['--help'], ['help'], ['-h']]) {
    const { code, stdout } = await runCommand(...argv);
    assert.deepEqual([code, stdout], [0, help()]);
  }
  for (const name of COMMAND_NAMES) {
    assert.match(help(), new RegExp(`^  ${name} `, 'm'));
    if (name !== 'restore' && name !== 'init') assert.ok(optionsOf(name).length > 3);
    for (const argv of [
      [name, '--help'],
      ['help', name],
      [name, '-h'],
    ]) {
      const { code, stdout } = await runCommand(...argv);
      assert.equal(code, 0);
      assert.match(stdout, new RegExp(`^shortlist ${name}: .*\n\nUsage: shortlist ${name} `));
    }
  }
});

test('a misspelt command or option is answered with the nearest, exit code 2', async () => {
  for (const [argv, expected] of [
    [['tutoral'], /^shortlist: unknown command "tutoral"; did you mean tutorial\?\nTry: shortlist --help\n$/],
    [['toString'], /^shortlist: unknown command "toString"\nTry: shortlist --help\n$/],
    [
      ['tutorial', '--epoch', '2'],
      /^shortlist: unknown option --epoch; did you mean --epochs\?\nTry: shortlist tutorial --help\n$/,
    ],
    [['compress', '--budget', '1/4'], /unknown option --budget; did you mean --budgets\?/],
    [['serve', 'x', '--http-port', '99999'], /--http-port: expected a whole number from 0 to 65535, got "99999"/],
    [['serve', 'x', '--http-prt', '1'], /unknown option --http-prt; did you mean --http-port\?/],
    [['help', 'trian'], /^shortlist: unknown command "trian"; did you mean train\?\nTry: shortlist --help\n$/],
    [['trian', '--help'], /^shortlist: unknown command "trian"; did you mean train\?\nTry: shortlist --help\n$/],
    [['--hlep'], /^shortlist: unknown command "--hlep"; did you mean --help\?\n/],
    [['version'], /^shortlist: unknown command "version"; did you mean --version\?\n/],
    [['query', 'x', 'u', '-x'], /^shortlist: unknown option -x\nTry/],
    [['query', 'x', 'u', '--k', '0'], /^shortlist: --k: expected a number from 1 to 2147483647, got "0"\nTry/],
  ] as const) {
    const { code, stdout, stderr } = await runCommand(...argv);
    assert.deepEqual([code, stdout], [2, '']);
    assert.match(stderr, expected);
  }
});

test('an option without a value, with one that begins with a dash, or given twice is refused by every command', async () => {
  const valued = {
    bench: 'queries',
    compress: 'epochs',
    evaluate: 'k',
    export: 'k',
    index: 'k',
    init: 'out',
    inspect: 'user-column',
    query: 'k',
    serve: 'http-port',
    similar: 'k',
    train: 'k',
    tune: 'k',
    tutorial: 'epochs',
  };
  // `restore` has no options.
  assert.deepEqual([...Object.keys(valued), 'restore'].sort(), [...COMMAND_NAMES].sort());
  for (const [command, option] of Object.entries(valued)) {
    for (const [words, expected] of [
      [[`--${option}`], 'expected a value, got none'],
      [
        [`--${option}`, '-3'],
        `expected a value, got an argument that begins with a dash; a value with a dash is written --${option}=-…`,
      ],
      [[`--${option}=3`, `--${option}`, '4'], 'expected one value, got two: "3" and "4"'],
      [[`--${option}`, ''], 'expected a value, got ""'],
    ] as const) {
      const { code, stdout, stderr } = await runCommand(command, ...words);
      assert.deepEqual([code, stdout], [2, ''], command);
      assert.equal(stderr, `shortlist: --${option}: ${expected}\nTry: shortlist ${command} --help\n`);
    }
  }
  const { code, stderr } = await runCommand('query', 'x', 'u', '--json=3');
  assert.deepEqual([code, stderr.split('\n')[0]], [2, 'shortlist: --json: expected no value, got one']);
  for (const command of ['train', 'serve', 'query', 'index', 'evaluate', 'inspect']) {
    const refused = await runCommand(command, '');
    assert.deepEqual([refused.code, refused.stdout], [2, '']);
    assert.equal(refused.stderr.split('\n')[0], 'shortlist: expected no empty argument, got ""', command);
  }
});

test('when the reader of a stream closes it the command ends without output', async () => {
  const compress = [
    'compress',
    '--data',
    'planted',
    '--epochs',
    '1',
    '--seeds',
    '1',
    '--methods',
    'full',
    '--out',
    folder,
  ];
  for (const argv of [
    ['--help'],
    ['--version'],
    ['nonsense'],
    compress,
    ['tutorial', '--copies', '0', '--epochs', '1'],
  ]) {
    for (const closed of ['stdout', 'stderr'] as const) {
      const env = { ...process.env, SHORTLIST_OFFLINE: '1', HOME: folder, XDG_CACHE_HOME: folder };
      const child = spawn(process.execPath, [BIN, ...argv], { stdio: ['ignore', 'pipe', 'pipe'], env });
      child[closed].destroy();
      const other = closed === 'stdout' ? child.stderr : child.stdout;
      let text = '';
      other.on('data', (chunk) => (text += chunk));
      const [code, signal] = (await once(child, 'close')) as [number, string | null];
      assert.equal(signal, null);
      // A short text may be written before the process learns that the pipe is closed.
      assert.ok([0, 2, 141].includes(code), `${argv.join(' ')}, ${closed} closed: exit code ${code}`);
      assert.doesNotMatch(text, /EPIPE|unexpected failure|^ {4}at /m);
    }
  }
});

test('in a clone that was not built the command builds first; if it cannot it prints one line', () => {
  const clone = join(folder, 'clone');
  for (const path of ['packages/cli/bin', 'scripts']) mkdirSync(join(clone, path), { recursive: true });
  const bin = join(clone, 'packages/cli/bin/shortlist.js');
  copyFileSync(BIN, bin);
  writeFileSync(join(clone, 'package.json'), '{"type": "module"}');
  const missing = spawnSync(process.execPath, [bin, '--help'], { encoding: 'utf8' });
  assert.equal(missing.status, 1);
  assert.match(missing.stderr, /^shortlist: expected .*bin\.js, there is nothing; install @shortlist\/cli again\n$/);
  const command = join(clone, 'packages/cli/build/src');
  writeFileSync(
    join(clone, 'scripts/build.mjs'),
    `import { mkdirSync, writeFileSync } from 'node:fs';
     mkdirSync(${JSON.stringify(command)}, { recursive: true });
     writeFileSync(${JSON.stringify(join(command, 'bin.js'))}, 'console.log(process.argv[2])');
     console.log('built');`,
  );
  const built = spawnSync(process.execPath, [bin, 'word'], { encoding: 'utf8' });
  assert.deepEqual([built.status, built.stdout], [0, 'word\n']);
  assert.match(built.stderr, /^shortlist: not built yet; building, .*\nbuilt\n$/);
});

test('help and version do not load the library', () => {
  const started = new Set<string>();
  const visit = (file: URL): void => {
    if (started.has(file.href)) return;
    started.add(file.href);
    for (const [, from] of readFileSync(file, 'utf8').matchAll(/^(?:import|export)\s(?:[^;]*?\sfrom\s)?'([^']+)';/gm)) {
      assert.match(from!, /^(\.|node:)/, file.pathname);
      if (from!.startsWith('.')) visit(new URL(from!, file));
    }
  };
  visit(new URL('../src/bin.js', import.meta.url));
  // `bin` imports it when it runs.
  visit(new URL('../src/run.js', import.meta.url));
  assert.ok([...started].some((file) => file.endsWith('/help.js')));
});
