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
  const { uninstall } = closeWithGrace(
    {
      delay: server.stopMs + MARGIN_MS,
      logger: { error: (...details: unknown[]) => server.logger.error({ details }, 'stopping') },
      ...(hasTerminal ? {} : { skip: ['SIGHUP'] }),
    },
    async ({ signal, err }) => {
      // The level is not fatal: pino then waits until the log is written, which never happens if its reader has gone.
      if (err) server.logger.error({ err }, 'stopping after an error');
      else server.logger.info({ signal }, 'stopping');
      // There is no lame-duck time after Ctrl-C: a person is waiting, and no load balancer is involved.
      await server.close(signal === 'SIGINT' ? { lameDuckMs: 0 } : {});
    },
  );
  return () => {
    process.removeListener('SIGHUP', ignore);
    uninstall();
  };
}
