/** The type of a command, and the error for wrong arguments. */
import type { Environment } from './terminal.ts';

/** A command: takes its arguments and the environment, and returns the exit code. */
export type Command = (argv: readonly string[], environment: Environment) => Promise<number>;

/** An error in the arguments: printed with a pointer to the help page; the exit code is 2. */
export class UsageError extends Error {}
