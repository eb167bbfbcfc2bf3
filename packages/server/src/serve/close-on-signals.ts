/** Stop a server when the process is told to: SIGTERM, SIGINT, or an error nobody caught. */
import closeWithGrace from 'close-with-grace';
import type { ShortlistServer } from './server.ts';

/** Beyond the server's own drain: time for journals and files. */
const MARGIN_MS = 5_000;

/**
 * Drain and close on the first signal, then end the process; a second signal ends it at once. A function that takes the
 * handlers away again.
 */
export function closeOnSignals(server: ShortlistServer): () => void {
  const { uninstall } = closeWithGrace(
    {
      delay: server.drainMs + MARGIN_MS,
      logger: { error: (...details: unknown[]) => server.logger.error({ details }, 'stopping') },
    },
    async ({ signal, err }) => {
      // Not as fatal: that waits until everything is written, which where the log's reader is gone is for ever.
      if (err) server.logger.error({ err }, 'stopping after an error');
      else server.logger.info({ signal }, 'stopping');
      await server.close();
    },
  );
  return uninstall;
}
