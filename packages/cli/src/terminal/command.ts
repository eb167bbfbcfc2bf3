/** The type of a command, and the error for wrong arguments. */
import type { Environment } from './terminal.ts';

/** A command: its own arguments in, exit code out. */
export type Command = (argv: readonly string[], environment: Environment) => Promise<number>;

/** A mistake in the arguments: shown with a pointer to the help, exit code 2. */
export class UsageError extends Error {}
