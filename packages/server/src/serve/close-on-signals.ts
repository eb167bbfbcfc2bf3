/** Stops a server on SIGTERM, SIGINT, SIGHUP from a terminal, or an uncaught error. */
import { isatty } from 'node:tty';
import closeWithGrace from 'close-with-grace';
import { checkArgument, objectWith } from 'shortlist/options';
import type { ShortlistServer } from './server.ts';

/** Time for closing journals and files, in addition to the server's drain time. */
const MARGIN_MS = 5_000;
const SERVER = objectWith('a ShortlistServer', 'close', 'logger', 'stopMs');
/** Standard input, output and error. */
const STANDARD_STREAMS = [0, 1, 2];
/** Signals that ask a process to end. SIGHUP is another one, where there is a terminal. */
const ENDING = ['SIGTERM', 'SIGINT', 'SIGQUIT'] as const;
/**
 * A program such as `timeout` signals a process and then its whole group, so that one signal arrives twice within a
 * millisecond. No person or supervisor repeats a signal in this time.
 */
const SAME_SIGNAL_MS = 100;

/**
 * Drain and close on the first signal, then end the process; a second signal ends it at once. Returns a function that
 * removes the handlers.
 *
 * SIGHUP is sent when the terminal is closed. `nohup` redirects the standard streams away from the terminal and ignores
 * that signal, but Node resets ignored signals when it starts. So if no standard stream is a terminal, the signal is
 * ignored here.
 */
export function closeOnSignals(server: ShortlistServer): () => void {
  checkArgument('server', server, SERVER);
  const hasTerminal = STANDARD_STREAMS.some((stream) => isatty(stream));
  const ignore = (): void => server.logger.info('SIGHUP is ignored: this process has no terminal');
  if (!hasTerminal) process.on('SIGHUP', ignore);
  const signals: readonly NodeJS.Signals[] = hasTerminal ? [...ENDING, 'SIGHUP'] : ENDING;
  let first: { signal: NodeJS.Signals; atMs: number } | undefined;
  const { close, uninstall } = closeWithGrace(
    {
      delay: server.stopMs + MARGIN_MS,
      logger: { error: (...details: unknown[]) => server.logger.error({ details }, 'stopping') },
      skip: [...ENDING, 'SIGHUP'],
    },
    async ({ err, signal = first?.signal }) => {
      // The level is not fatal: pino then waits until the log is written, which never happens if its reader has gone.
      if (err) server.logger.error({ err }, 'stopping after an error');
      else server.logger.info({ signal }, 'stopping');
      // There is no lame-duck time after Ctrl-C: a person is waiting, and no load balancer is involved.
      await server.close(signal === 'SIGINT' ? { lameDuckMs: 0 } : {});
    },
  );
  const end = (signal: NodeJS.Signals): void => {
    if (!first) {
      first = { signal, atMs: performance.now() };
      void close();
    } else if (performance.now() - first.atMs > SAME_SIGNAL_MS) {
      server.logger.error({ signal }, 'stopping at once after a second signal');
      process.exit(1);
    }
  };
  for (const signal of signals) process.on(signal, end);
  return () => {
    process.removeListener('SIGHUP', ignore);
    for (const signal of signals) process.removeListener(signal, end);
    uninstall();
  };
}
