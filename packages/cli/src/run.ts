/**
 * The command as a function: arguments and an environment in, exit code out. bin.ts is its only caller in a process;
 * tests call it with streams of their own.
 *
 * Exit codes: 0 done, 1 a mistake in the input or a failure that is named, 2 a mistake in the arguments, 130 Ctrl-C.
 */
import { ShortlistError } from 'shortlist';
import { HELP, VERSION } from './help.ts';
import { type Command, UsageError } from './terminal/command.ts';
import type { Environment } from './terminal/terminal.ts';

// Each is loaded when it is asked for: a server does not wait for what trains, nor the tutorial for an HTTP server.
const COMMANDS: Readonly<Record<string, Command>> = {
  compress: async (argv, environment) => (await import('./compress/command.ts')).compress(argv, environment),
  serve: async (argv, environment) => (await import('./serve/command.ts')).serve(argv, environment),
  tutorial: async (argv, environment) => (await import('./tutorial/command.ts')).tutorial(argv, environment),
};

/** What a shell reports for a program that Ctrl-C ended: 128 + SIGINT. */
const INTERRUPTED = 130;

/** Run the command that `argv` names. */
export async function run(argv: readonly string[], environment: Environment): Promise<number> {
  const [name = '--help', ...rest] = argv;
  try {
    if (name === 'help' || [name, ...rest].some((word) => word === '--help' || word === '-h')) {
      environment.stdout.write(HELP);
      return 0;
    }
    if (name === '--version') {
      environment.stdout.write(`${VERSION}\n`);
      return 0;
    }
    const command = COMMANDS[name];
    if (!command) throw new UsageError(`unknown command ${JSON.stringify(name)}`);
    return await command(rest, environment);
  } catch (error) {
    return explain(error, environment);
  }
}

/** Say what went wrong in one line; only a fault of ours shows a stack. */
function explain(error: unknown, { stderr }: Environment): number {
  if (error instanceof ShortlistError) {
    stderr.write(`shortlist: ${error.message} (${error.code})\n`);
    return error.code === 'ERR_ABORTED' ? INTERRUPTED : 1;
  }
  const code = (error as { code?: unknown } | null)?.code;
  if (error instanceof UsageError || (typeof code === 'string' && code.startsWith('ERR_PARSE_ARGS'))) {
    stderr.write(`shortlist: ${(error as Error).message}\nTry: shortlist --help\n`);
    return 2;
  }
  stderr.write(`shortlist: an unexpected failure, please report it\n${(error as Error)?.stack ?? String(error)}\n`);
  return 1;
}
