/** The command as a library: `run` and what it needs. */
export { run } from './run.ts';
export type { Command } from './terminal/command.ts';
export type { Environment, Output } from './terminal/terminal.ts';
