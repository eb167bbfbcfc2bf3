/** The HTTP listener: one server that listens itself, or a connection balancer for the server and its replicas. */
import type { AddressInfo } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { IDLE_POLL_MS, TransferredConnections } from '../http/transferred-connections.ts';
import { ConnectionBalancer } from '../replicas/connection-balancer.ts';
import type { Replicas } from '../replicas/replicas.ts';

/** Listens until it is closed. */
export interface HttpListener {
  readonly port: number;
  /** Take no more connections, finish those there are, and cut off what has not ended within a time. */
  close(withinMs: number): Promise<void>;
}

/** Listen with a server itself. @throws when the port is taken */
export async function listenAlone(app: FastifyInstance, host: string, port: number): Promise<HttpListener> {
  await app.listen({ host, port });
  return {
    port: (app.server.address() as AddressInfo).port,
    async close(withinMs) {
      // A connection that was busy when the stop began is idle after its answer; what never ends is cut off.
      const idle = setInterval(() => app.server.closeIdleConnections(), IDLE_POLL_MS);
      const over = setTimeout(() => app.server.closeAllConnections(), withinMs);
      await app.close();
      clearInterval(idle);
      clearTimeout(over);
    },
  };
}

/** Listen for a server and its replicas. @param isByAddress one address, one process */
export async function listenTogether(
  app: FastifyInstance,
  replicas: Replicas,
  { host, port, isByAddress }: { host: string; port: number; isByAddress: boolean },
): Promise<HttpListener> {
  const here = new TransferredConnections(app);
  const balancer = new ConnectionBalancer(() => [here, ...replicas.serving], isByAddress);
  const bound = await balancer.listen(host, port);
  return {
    port: bound,
    async close(withinMs) {
      balancer.close();
      // Replicas forward to the server until their last connection has ended.
      await Promise.all([here.drain(withinMs), replicas.drain(withinMs)]);
      await app.close();
    },
  };
}
