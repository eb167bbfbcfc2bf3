/** The HTTP listener of a server, which also listens for the server's replicas. */
import type { FastifyInstance } from 'fastify';
import { HttpConnections } from '../http/connections.ts';
import { ConnectionBalancer } from '../replicas/connection-balancer.ts';
import type { Replicas } from '../replicas/replicas.ts';

/** Address and options of a listener. */
export interface ListenOptions {
  host: string;
  port: number;
  /** Whether all connections of one address go to one process. */
  isByAddress: boolean;
}

/** An open listener. */
export interface HttpListener {
  readonly port: number;
  /** Number of open connections of this process. */
  readonly connections: HttpConnections;
  /**
   * Accept no more connections, finish those that are open, and cut off those that have not ended within the given
   * time.
   */
  close(withinMs: number): Promise<void>;
}

/** Listen. @throws {OptionError} when the host cannot be resolved @throws {Error} when the port is taken */
export async function listenHttp(
  app: FastifyInstance,
  replicas: Replicas | undefined,
  { host, port, isByAddress }: ListenOptions,
): Promise<HttpListener> {
  const connections = new HttpConnections(app);
  const balancer = new ConnectionBalancer(() => [connections, ...(replicas?.serving ?? [])], isByAddress);
  const bound = await balancer.listen(host, port);
  return {
    port: bound,
    connections,
    async close(withinMs) {
      connections.closeAfterResponses();
      // The last connections are accepted here, and replicas are drained after they were given to them.
      await balancer.close();
      // Replicas forward requests to the server until their last connection has ended, so the server's connections are
      // closed after theirs.
      await Promise.all([connections.drain(withinMs), replicas?.drain(withinMs)]);
      await app.close();
    },
  };
}
