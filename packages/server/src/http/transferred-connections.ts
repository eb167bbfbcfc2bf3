/**
 * Connections that another listener accepted and transferred to an HTTP server, which does not listen itself.
 *
 * Node starts its timeouts of slow clients and its list of idle connections when a server emits `listening`. That event is
 * emitted here, so that transferred connections are treated like accepted ones.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';

/** How often a stopping server looks for connections whose last answer is out. */
export const IDLE_POLL_MS = 20;

/** Time in which a busy client sends its next request. */
const TOLD_MS = 100;

/** Serves transferred connections and ends them. */
export class TransferredConnections {
  readonly #server: FastifyInstance['server'];
  readonly #open = new Set<Socket>();
  #ended: (() => void) | undefined;

  constructor({ server }: FastifyInstance) {
    this.#server = server;
    server.emit('listening');
  }

  /** Connections of this process are never in transit. */
  readonly inTransit = 0;

  /** Serve a paused socket from which nothing was read. */
  take(socket: Socket): void {
    this.#open.add(socket);
    socket.once('close', () => {
      this.#open.delete(socket);
      if (this.#open.size === 0) this.#ended?.();
    });
    this.#server.emit('connection', socket);
    socket.resume();
  }

  /** Resolves when every connection has ended: after its answer, or cut off after some time. */
  async drain(withinMs: number): Promise<void> {
    if (this.#open.size === 0) return;
    // Clients that go on asking are told with their next answer; those that are silent are ended after a moment.
    this.#server.prependListener('request', (_request: IncomingMessage, response: ServerResponse) => {
      response.shouldKeepAlive = false;
    });
    const began = performance.now();
    const idle = setInterval(() => {
      if (performance.now() - began > TOLD_MS) this.#server.closeIdleConnections();
    }, IDLE_POLL_MS);
    const over = setTimeout(() => {
      for (const socket of this.#open) socket.destroy();
    }, withinMs);
    await new Promise<void>((resolve) => {
      this.#ended = resolve;
    });
    clearInterval(idle);
    clearTimeout(over);
  }
}
