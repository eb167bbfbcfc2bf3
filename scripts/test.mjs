// Run the compiled tests: everything but test/slow, or with --slow everything under test/slow and every case of those tests of
// which the usual run has some (isThorough).
// Words after the options pick files whose path contains one of them: `npm test -- topk`.
// Starting a process costs 0.3 to 1.5 s of CPU (a server), more than most test files, so files of a package share processes.
// Tried without a gain beyond the noise of some per cent: larger semi-spaces, one thread for the garbage collector, WebAssembly by
// the baseline compiler alone or compiled lazily, no optimizing compiler; Node 24's compile cache saves 0.1 s of a server's start.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** Most files that share a process: a balance between few starts and keeping both cores busy until the end. */
const FILES_A_PROCESS = 35;
/**
 * The work after which V8 may compile a function with its optimizing compiler: eight times the default. Most code of tests runs
 * too briefly for that to pay: a run of all tests took 246 s of CPU with it and 264 s without, on Node 20. Node 24 has no such
 * option.
 */
const LATE_COMPILER = '--interrupt-budget=528000';
/** Texts that mark a test file that needs its own process: it changes or measures its process, or says so. */
const NEEDS_OWN_PROCESS =
  /own process|async_hooks|process\.(chdir|memoryUsage|on|once|exit|env\.\w+ =)|globalThis|heapUsed|^(before|after)Each\(/m;

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const words = process.argv.slice(2).filter((word) => !word.startsWith('--'));
const slow = process.argv.includes('--slow');
/** To read the source maps takes an eighth of the time in which modules are loaded, so a run of all files does without. */
const hasSourceMaps = words.length > 0;
const files = readdirSync(join(root, 'packages'))
  .map((name) => join(root, 'packages', name, 'build/test'))
  .filter(existsSync)
  .flatMap((folder) => readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name)))
  .filter((file) => file.endsWith('.test.js') && isWanted(file))
  .filter((file) => words.length === 0 || words.some((word) => relative(root, file).includes(word)))
  .sort();
const hasLateCompiler = spawnSync(process.execPath, ['--v8-options'], { encoding: 'utf8' }).stdout.includes(
  `${LATE_COMPILER.split('=')[0]} `,
);
if (files.length === 0) {
  console.error(`no test file matches ${words.join(' ')}`);
  process.exit(1);
}

const folder = mkdtempSync(join(tmpdir(), 'shortlist-tests-'));
try {
  // Tests wait for timers and other processes at times: with one process per core two cores were busy for 92 % of a run.
  // A test file takes some 300 MB and may start a thread per core, so as many would be too many on a machine with many
  // cores.
  const atOnce = Math.min(8, availableParallelism() + 1);
  const options = [
    '--test',
    // A failed test may leave a server open, and then its process, and the run, would never end.
    '--test-force-exit',
    `--test-concurrency=${atOnce}`,
    '--test-reporter=spec',
  ];
  const env = {
    ...process.env,
    // What a test leaves behind is removed with the folder.
    TMPDIR: folder,
    ...(slow ? { SHORTLIST_THOROUGH: '1' } : {}),
  };
  const { status } = spawnSync(process.execPath, [...options, ...processesOf(files)], {
    cwd: root,
    stdio: 'inherit',
    env,
  });
  process.exitCode = status ?? 1;
  if (status !== 0 && !hasSourceMaps) {
    console.error(
      'Lines of a stack are those of build/. With words, such as `npm test -- topk`, they are those of the sources.',
    );
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** With --slow: what lies under slow/, and what has more cases then. */
function isWanted(file) {
  const isSlow = file.includes('/slow/');
  return slow ? isSlow || readFileSync(file, 'utf8').includes('isThorough') : !isSlow;
}

/**
 * The program of each process: first those of several files, which take longest, then those of one file, so that no long
 * one is left over for the end. Node runs programs in the order of their names, so they begin with a number.
 */
function processesOf(files) {
  const alone = [];
  const shared = new Map();
  for (const file of files) {
    if (slow || NEEDS_OWN_PROCESS.test(readFileSync(file, 'utf8'))) {
      const name = relative(join(root, 'packages'), file).replace(/[\\/]build[\\/]test[\\/]|[\\/]/g, '-');
      alone.push([name.replace('.test.js', ''), [file]]);
    } else shared.set(packageOf(file), [...(shared.get(packageOf(file)) ?? []), file]);
  }
  const programs = [...shared].flatMap(([name, files]) => {
    const count = Math.ceil(files.length / FILES_A_PROCESS);
    // A process gets every count-th file, which spreads the long ones, which are in one folder, over the processes.
    return Array.from({ length: count }, (_, i) => [`${name}-${i + 1}`, files.filter((_, at) => at % count === i)]);
  });
  return [...programs, ...alone].map(([name, files], i) => programOf(`${100 + i}-${name}`, files));
}

/**
 * Write the program that runs some test files. Its first test lasts until all files are loaded: else the tests of the
 * first file could be over, and with them the process, while another file awaits something that its tests need.
 */
function programOf(name, files) {
  const program = join(folder, `${name}.test.mjs`);
  const imports = files.map((file) => `await import('${pathToFileURL(file)}');\n`);
  writeFileSync(
    program,
    `import '${pathToFileURL(join(root, 'scripts/untracked-tests.mjs'))}';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';

// As options of the process these would be handed on to the replicas of servers, which would read every map as they start.
process.setSourceMapsEnabled(${hasSourceMaps});
${hasLateCompiler ? `setFlagsFromString('${LATE_COMPILER}');\n` : ''}let loaded;
test('the test files of ${name} are loaded', () => new Promise((resolve) => void (loaded = resolve)));
${imports.join('')}loaded();
`,
  );
  return program;
}

/** The folder of the package to which a file belongs. */
function packageOf(file) {
  return relative(join(root, 'packages'), file).split(/[\\/]/)[0];
}
