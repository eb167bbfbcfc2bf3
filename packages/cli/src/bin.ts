#!/usr/bin/env node
/** The executable: calls `run` with the streams and the environment of the process, and handles Ctrl-C. */
import { lacksDescriptors, NO_DESCRIPTOR } from './terminal/descriptors.ts';

const interrupt = new AbortController();
process.on('SIGINT', () => {
  // The second Ctrl-C ends the process at once.
  if (interrupt.signal.aborted) process.exit(130);
  interrupt.abort(new Error('Ctrl-C'));
});

/** The exit code that shells use for a program that SIGPIPE ended: 128 + 13. */
const BROKEN_PIPE = 141;
// The reader of the output, such as `head`, has closed the pipe.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(BROKEN_PIPE);
    throw error;
  });
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
