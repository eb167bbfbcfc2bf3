/** Stop a server when the process is told to: SIGTERM, SIGINT, SIGHUP of a terminal, or an error that nothing caught. */
import { isatty } from 'node:tty';
import closeWithGrace from 'close-with-grace';
import type { ShortlistServer } from './server.ts';

/** Beyond the server's own drain: time for journals and files. */
const MARGIN_MS = 5_000;
/** Standard input, output and error. */
const STANDARD_STREAMS = [0, 1, 2];

/**
 * Drain and close on the first signal, then end the process; a second signal ends it at once. A function that takes the
 * handlers away again.
 *
 * SIGHUP says that the terminal was closed. `nohup` takes the terminal away from all standard streams and ignores that
 * signal, but Node resets ignored signals when it starts. So without a terminal the signal is ignored here.
 */
export function closeOnSignals(server: ShortlistServer): () => void {
  const hasTerminal = STANDARD_STREAMS.some((stream) => isatty(stream));
  const ignore = (): void => server.logger.info('SIGHUP is ignored: this process has no terminal');
  if (!hasTerminal) process.on('SIGHUP', ignore);
  const { uninstall } = closeWithGrace(
    {
      delay: server.stopMs + MARGIN_MS,
      logger: { error: (...details: unknown[]) => server.logger.error({ details }, 'stopping') },
      ...(hasTerminal ? {} : { skip: ['SIGHUP'] }),
    },
    async ({ signal, err }) => {
      // Not as fatal: that waits until everything is written, which where the log's reader is gone is for ever.
      if (err) server.logger.error({ err }, 'stopping after an error');
      else server.logger.info({ signal }, 'stopping');
      // Whoever presses Ctrl-C waits, and no load balancer looks.
      await server.close(signal === 'SIGINT' ? { lameDuckMs: 0 } : {});
    },
  );
  return () => {
    process.removeListener('SIGHUP', ignore);
    uninstall();
  };
}
