/**
 * The command as a function of its arguments and its environment, which returns the exit code. bin.ts calls it with the
 * streams of the process, tests with streams of their own.
 *
 * Exit codes: 0 success, 1 an error in the input or during the work, 2 an error in the arguments, 130 Ctrl-C. bin.ts
 * adds 141: the reader of the output closed it.
 */
import { configuredArguments } from './config/config-file.ts';
import { COMMAND_NAMES, help, optionsOf, VERSION } from './help.ts';
import { type Command, UsageError } from './terminal/command.ts';
import { lacksDescriptors, NO_DESCRIPTOR } from './terminal/descriptors.ts';
import type { Environment } from './terminal/terminal.ts';

// Each command is imported when it runs, so that `serve` does not load the training code, and `train` no HTTP server.
const COMMANDS: Readonly<Record<string, Command>> = {
  bench: async (argv, environment) => (await import('./bench/command.ts')).bench(argv, environment),
  compress: async (argv, environment) => (await import('./compress/command.ts')).compress(argv, environment),
  evaluate: async (argv, environment) => (await import('./evaluate/command.ts')).evaluate(argv, environment),
  export: async (argv, environment) => (await import('./export/command.ts')).exportRows(argv, environment),
  index: async (argv, environment) => (await import('./vector-index/command.ts')).index(argv, environment),
  init: async (argv, environment) => (await import('./init/command.ts')).init(argv, environment),
  inspect: async (argv, environment) => (await import('./inspect/command.ts')).inspect(argv, environment),
  query: async (argv, environment) => (await import('./query/command.ts')).query(argv, environment),
  restore: async (argv, environment) => (await import('./restore/command.ts')).restore(argv, environment),
  serve: async (argv, environment) => (await import('./serve/command.ts')).serve(argv, environment),
  similar: async (argv, environment) => (await import('./similar/command.ts')).similar(argv, environment),
  train: async (argv, environment) => (await import('./train/command.ts')).train(argv, environment),
  tune: async (argv, environment) => (await import('./tune/command.ts')).tune(argv, environment),
  tutorial: async (argv, environment) => (await import('./tutorial/command.ts')).tutorial(argv, environment),
};

/** The exit code that shells use for a program that Ctrl-C ended: 128 + SIGINT. */
const INTERRUPTED = 130;

/** The library. It is loaded only to explain an error, so that `--help` and `--version` are fast; commands import it themselves. */
const library = () => import('shortlist');

/**
 * Run the command that `argv` names.
 *
 * @throws {OptionError} when an argument is of another type; all other errors are printed
 */
export async function run(argv: readonly string[], environment: Environment): Promise<number> {
  if (!isWords(argv) || !hasStreams(environment)) return refuse(argv, environment);
  const [name = '--help', ...rest] = argv;
  try {
    if (name === 'help' || [name, ...rest].some((word) => word === '--help' || word === '-h')) {
      const page = name === 'help' ? rest[0] : name;
      if (page !== undefined && !page.startsWith('-') && !COMMAND_NAMES.includes(page))
        throw await unknownCommand(page);
      environment.stdout.write(help(page));
      return 0;
    }
    if (name === '--version') {
      environment.stdout.write(`${VERSION}\n`);
      return 0;
    }
    const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
    if (!command) throw await unknownCommand(name);
    const { argv: words, note } = await configuredArguments(name, rest);
    if (note !== undefined) environment.stderr.write(`${note}\n`);
    return await command(words, environment);
  } catch (error) {
    return await explain(error, name, environment);
  }
}

async function unknownCommand(name: string): Promise<UsageError> {
  const known = [...COMMAND_NAMES, '--help', '--version'];
  return new UsageError(`unknown command ${JSON.stringify(name)}${await meant(name, known)}`);
}

function isWords(value: unknown): boolean {
  return Array.isArray(value) && value.every((word) => typeof word === 'string');
}

function hasStreams(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'stdout' in value && 'stderr' in value;
}

/** Throw the error of arguments of another type. */
async function refuse(argv: unknown, environment: unknown): Promise<never> {
  const { checkArgument, optionType, WORDS } = await import('shortlist/options');
  checkArgument('argv', argv, WORDS);
  checkArgument('environment', environment, optionType('an object with stdout and stderr', hasStreams));
  throw new Error('expected wrong arguments, got right ones');
}

/** Print an error in one line; only an unexpected one, a bug of the command, has a stack trace. */
async function explain(error: unknown, name: string, { stderr, signal }: Environment): Promise<number> {
  if (lacksDescriptors(error)) {
    // The library, which has the classes of errors, could not be loaded either.
    stderr.write(NO_DESCRIPTOR);
    return 1;
  }
  const { ShortlistError } = await library();
  if (error instanceof ShortlistError) {
    stderr.write(`shortlist: ${inOptions(error.message)} (${error.code})\n`);
    return error.code === 'ERR_ABORTED' ? INTERRUPTED : 1;
  }
  if (signal.aborted && isAbort(error, signal)) {
    stderr.write(`shortlist: ${name}: interrupted (ERR_ABORTED)\n`);
    return INTERRUPTED;
  }
  const code = (error as { code?: unknown } | null)?.code;
  if (error instanceof UsageError || (typeof code === 'string' && code.startsWith('ERR_PARSE_ARGS'))) {
    const page = COMMAND_NAMES.includes(name) ? `${name} --help` : '--help';
    stderr.write(`shortlist: ${await usageMessage(error as Error, name)}\nTry: shortlist ${page}\n`);
    return 2;
  }
  const { isSystemError, systemReason } = await import('shortlist/node');
  if (isSystemError(error)) {
    const { path, syscall } = error;
    stderr.write(`shortlist: ${path ?? syscall}: the system refused: ${systemReason(error)} (ERR_IO)\n`);
    return 1;
  }
  if (lacksMemory(error)) {
    stderr.write(
      `shortlist: not enough memory, or address space (ulimit -v): ${(error as Error).message} (ERR_MEMORY)\n`,
    );
    return 1;
  }
  stderr.write(
    `shortlist: an unexpected error; please report it with these lines\n${(error as Error)?.stack ?? String(error)}\n`,
  );
  return 1;
}

/** True for what Node's own functions throw when a signal is raised: its reason, or an AbortError. */
function isAbort(error: unknown, signal: AbortSignal): boolean {
  return error === signal.reason || (error as { name?: unknown } | null)?.name === 'AbortError';
}

/** True for the errors with which V8 says that it got no memory for an array, a WebAssembly memory or a thread. */
function lacksMemory(error: unknown): boolean {
  const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown };
  if (code === 'ERR_WORKER_OUT_OF_MEMORY' || code === 'ERR_WORKER_INIT_FAILED') return true;
  return error instanceof RangeError && /out of memory|could not allocate|allocation failed/i.test(String(message));
}

/** Replaces the names of library options in a message by those of the command line: userColumn by --user-column. */
function inOptions(message: string): string {
  return message
    .replace(/^memoryBytes:/, '--memory-bytes:')
    .replaceAll(
      /\b(user|item|value|weight|time|event|identifier|title)Column\b/g,
      (_, role: string) => `--${role === 'identifier' ? 'id' : role}-column`,
    );
}

/** The message of an error in the arguments. For an unknown option it names the nearest option of the command. */
async function usageMessage({ message }: Error, name: string): Promise<string> {
  const [, dashes, option] = /^Unknown option '(--?)([^']*)'/.exec(message) ?? [];
  if (option === undefined) return message;
  return `unknown option ${dashes}${option}${dashes === '--' ? await meant(option, optionsOf(name), '--') : ''}`;
}

async function meant(word: string, known: readonly string[], dashes = ''): Promise<string> {
  const { nearestName } = await import('shortlist/options');
  const nearest = nearestName(word, known);
  return nearest === undefined ? '' : `; did you mean ${dashes}${nearest}?`;
}
