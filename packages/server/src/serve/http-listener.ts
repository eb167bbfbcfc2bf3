/** The HTTP listener of a server and of its replicas, if it has any. */
import type { FastifyInstance } from 'fastify';
import { HttpConnections } from '../http/connections.ts';
import { ConnectionBalancer } from '../replicas/connection-balancer.ts';
import type { Replicas } from '../replicas/replicas.ts';

/** Where and how to listen. */
export interface ListenOptions {
  host: string;
  port: number;
  /** Whether all connections of one address go to one process. */
  isByAddress: boolean;
}

/** Listens until it is closed. */
export interface HttpListener {
  readonly port: number;
  /** Connections of this process. */
  readonly connections: HttpConnections;
  /** Take no more connections, finish those there are, and cut off what has not ended within a time. */
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
      const replicasDrained = replicas?.drain(withinMs);
      await balancer.close();
      // Replicas forward to the server until their last connection has ended.
      await Promise.all([connections.drain(withinMs), replicasDrained]);
      await app.close();
    },
  };
}
