/** Certificates of a running HTTP server: renewed when their files change, without a restart. */
import { Server as TlsServer } from 'node:tls';
import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import { TLS_POLL_MS, type TlsFiles, watchTls } from '../access/tls-files.ts';

/** Give a server the certificates of its files whenever these change; a function that stops. */
export function renewCertificates({ server }: FastifyInstance, files: TlsFiles, logger: Logger): () => void {
  return watchTls(
    files,
    TLS_POLL_MS,
    (material) => {
      if (server instanceof TlsServer) server.setSecureContext(material);
      logger.info('certificates were read again');
    },
    (err) => logger.error({ err }, 'certificates could not be read again'),
  );
}
