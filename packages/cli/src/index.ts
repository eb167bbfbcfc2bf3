/** The command as a library: `run`, the types of its parameters, and the type of a configuration file. */
export { defineConfig, type Section, type ShortlistConfig } from './config/contract.ts';
export { run } from './run.ts';
export type { Command } from './terminal/command.ts';
export type { Environment, Output } from './terminal/terminal.ts';
