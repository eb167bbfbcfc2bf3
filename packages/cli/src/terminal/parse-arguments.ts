/** Parses the arguments of a command as Node's `parseArgs` does, with messages of one line, and refuses an option that is given twice. */
import { type ParseArgsConfig, parseArgs } from 'node:util';
import { UsageError } from './command.ts';

/** An argument as it was given. */
type Token = ReturnType<typeof tokensOf>[number];

/**
 * `parseArgs` of Node.
 *
 * @throws {UsageError} when an option that takes one value is given twice or has none, or an argument is empty
 * @throws what `parseArgs` throws for an unknown option
 */
export function parseArguments<T extends ParseArgsConfig>(config: T): ReturnType<typeof parseArgs<T>> {
  try {
    const tokens = tokensOf(config);
    refuseRepeated(tokens, config);
    refuseEmpty(tokens);
    return parseArgs(config);
  } catch (error) {
    throw usageError(error);
  }
}

function tokensOf(config: ParseArgsConfig) {
  return parseArgs({ ...config, tokens: true }).tokens;
}

/** Without this the last value would be used without a word. */
function refuseRepeated(tokens: readonly Token[], config: ParseArgsConfig): void {
  const given = new Map<string, string>();
  for (const token of tokens) {
    if (token.kind !== 'option' || token.value === undefined || config.options?.[token.name]?.multiple) continue;
    const { name, value } = token;
    const before = given.get(name);
    if (before !== undefined) {
      throw new UsageError(
        `--${name}: expected one value, got two: ${JSON.stringify(before)} and ${JSON.stringify(value)}`,
      );
    }
    given.set(name, value);
  }
}

/**
 * An empty argument is most often a variable of a script that is not set, and a path that is empty would be printed as nothing. The
 * first argument of each command is a path; identifiers and lists of columns may be empty.
 */
function refuseEmpty(tokens: readonly Token[]): void {
  const first = tokens.find(({ kind }) => kind === 'positional');
  if (first?.kind === 'positional' && first.value === '') throw new UsageError('expected no empty argument, got ""');
  for (const token of tokens) {
    if (token.kind !== 'option' || token.value !== '' || token.name.endsWith('-columns')) continue;
    throw new UsageError(`--${token.name}: expected a value, got ""`);
  }
}

/** A missing value, or one that begins with a dash, in one line; other errors as they are. */
function usageError(error: unknown): unknown {
  const { message, code } = error as { message: string; code?: string };
  const option = /^Option '(?:-\w, )?(--[\w-]+)/.exec(message)?.[1];
  if (code !== 'ERR_PARSE_ARGS_INVALID_OPTION_VALUE' || option === undefined) return error;
  if (message.includes('does not take an argument')) return new UsageError(`${option}: expected no value, got one`);
  if (!message.includes('ambiguous')) return new UsageError(`${option}: expected a value, got none`);
  return new UsageError(
    `${option}: expected a value, got an argument that begins with a dash; a value with a dash is written ${option}=-…`,
  );
}
