/**
 * The connections of an HTTP server that does not listen itself: another listener accepts them, in this process or another.
 *
 * Node starts its timeouts of slow clients and its list of idle connections when a server emits `listening`. That event is
 * emitted here, so that these connections are treated like accepted ones.
 *
 * Draining loses no request that has arrived. A client that goes on is told with its next response to close the connection
 * (`Connection: close`). A connection without a request is closed after a grace period, in which a busy client sends its
 * next request, and in the phase of the event loop in which everything readable was just read: closing a socket whose
 * request lies unread in the kernel would reset it.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { FastifyInstance } from 'fastify';

/** How often a draining server looks for connections without a request. */
const IDLE_POLL_MS = 20;
/** Time in which a client that is busy sends its next request, also on a loaded machine. */
const GRACE_MS = 500;

/** Serves connections and ends them. */
export class HttpConnections {
  readonly #server: FastifyInstance['server'];
  readonly #open = new Set<Socket>();
  /** Of TLS connections after their handshake: the socket that has the decrypted bytes. */
  readonly #secure = new WeakMap<Socket, TLSSocket>();
  #isClosing = false;
  #ended: (() => void) | undefined;

  constructor({ server }: FastifyInstance) {
    this.#server = server;
    server.on('secureConnection', (secure: TLSSocket & { _parent?: Socket }) => {
      if (secure._parent) this.#secure.set(secure._parent, secure);
    });
    server.emit('listening');
  }

  /** Connections of this process are never in transit. */
  readonly inTransit = 0;

  /** Connections that are open. */
  get size(): number {
    return this.#open.size;
  }

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

  /** Tell clients with every response from now on to close their connection. */
  closeAfterResponses(): void {
    if (this.#isClosing) return;
    this.#isClosing = true;
    this.#server.prependListener('request', (_request: IncomingMessage, response: ServerResponse) => {
      response.shouldKeepAlive = false;
    });
  }

  /** Resolves when every connection has ended: after its response, or cut off after some time. */
  async drain(withinMs: number): Promise<void> {
    this.closeAfterResponses();
    if (this.#open.size === 0) return;
    const began = performance.now();
    const idle = setInterval(() => {
      // After the sockets were read, see above.
      if (performance.now() - began > GRACE_MS) setImmediate(() => this.#closeIdle());
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

  /** Close the connections between two requests, and those on which none has begun, which Node counts as active. */
  #closeIdle(): void {
    this.#server.closeIdleConnections();
    for (const socket of this.#open) if (this.#isSilent(socket)) socket.destroy();
  }

  #isSilent(socket: Socket): boolean {
    if (!('addContext' in this.#server)) return socket.bytesRead === 0;
    // A client that has not finished its handshake has sent no request.
    return (this.#secure.get(socket)?.bytesRead ?? 0) === 0;
  }
}
