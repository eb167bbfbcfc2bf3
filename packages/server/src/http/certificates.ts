/** Renewal of the certificates of a running HTTP server when their files change, without a restart. */
import { Server as TlsServer } from 'node:tls';
import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import { TLS_POLL_MS, type TlsFiles, watchTls } from '../access/tls-files.ts';

/** Reload the certificates of a server whenever their files change. Returns a function that stops this. */
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
