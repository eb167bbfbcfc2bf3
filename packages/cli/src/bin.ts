#!/usr/bin/env node
/** The shell around `run`: the process's streams, environment and Ctrl-C. */
import { run } from './run.ts';

const interrupt = new AbortController();
process.on('SIGINT', () => {
  // The second Ctrl-C ends the process at once: whoever presses it twice means it.
  if (interrupt.signal.aborted) process.exit(130);
  interrupt.abort(new Error('Ctrl-C'));
});

process.exitCode = await run(process.argv.slice(2), {
  stdout: process.stdout,
  stderr: process.stderr,
  variables: process.env,
  now: () => performance.now(),
  signal: interrupt.signal,
});
