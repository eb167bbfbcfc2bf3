#!/usr/bin/env node
/** The executable: calls `run` with the streams and the environment of the process, and handles Ctrl-C. */
import { lacksDescriptors, NO_DESCRIPTOR } from './terminal/descriptors.ts';

/**
 * A program such as `timeout` signals a process and then its whole group, so that one signal arrives twice within a
 * millisecond. No person presses Ctrl-C twice in this time.
 */
const SAME_SIGNAL_MS = 100;
const interrupt = new AbortController();
let interruptedAtMs = 0;
process.on('SIGINT', () => {
  // The second Ctrl-C ends the process at once.
  if (!interrupt.signal.aborted) interruptedAtMs = performance.now();
  else if (performance.now() - interruptedAtMs > SAME_SIGNAL_MS) process.exit(130);
  interrupt.abort(new Error('Ctrl-C'));
});

/** The exit code that shells use for a program that SIGPIPE ended: 128 + 13. */
const BROKEN_PIPE = 141;
for (const [name, stream] of [
  ['standard output', process.stdout],
  ['standard error', process.stderr],
] as const) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    // The reader of the output, such as `head`, has closed the pipe.
    if (error.code === 'EPIPE') process.exit(BROKEN_PIPE);
    void endUnwritten(name, error);
  });
}

/** End because the output cannot be written, for example to a file on a full disk. */
async function endUnwritten(name: string, error: Error): Promise<never> {
  const { systemReason } = await import('shortlist/node');
  if (name !== 'standard error')
    process.stderr.write(`shortlist: ${name}: cannot be written: ${systemReason(error)} (ERR_IO)\n`);
  process.exit(1);
}

// Loaded here and not above, because Node prints an error of a static import with its stack.
const { run } = await import('./run.ts').catch((error: unknown) => {
  if (!lacksDescriptors(error)) throw error;
  process.stderr.write(NO_DESCRIPTOR);
  process.exit(1);
});
process.exitCode = await run(process.argv.slice(2), {
  stdout: process.stdout,
  stderr: process.stderr,
  variables: process.env,
  now: () => performance.now(),
  signal: interrupt.signal,
  ask: process.stdin.isTTY && process.stdout.isTTY ? ask : undefined,
});

async function ask(question: string): Promise<string> {
  const { createInterface } = await import('node:readline/promises');
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  try {
    return await terminal.question(question, { signal: interrupt.signal });
  } finally {
    terminal.close();
  }
}
