/**
 * The connections of an HTTP server that does not listen itself: a listener in this or another process accepts them.
 *
 * Node starts its timeouts of slow clients and its list of idle connections when a server emits `listening`. That event
 * is emitted here, so that these connections are treated like accepted ones.
 *
 * Draining loses no request that has arrived. A client that sends another request gets a response that asks it to close
 * the connection (`Connection: close`). A connection without a request is closed after a grace period, in which a busy
 * client sends its next request. It is closed in the phase of the event loop that follows the reading of all readable
 * sockets: closing a socket while a request is unread in the kernel would reset the connection.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { FastifyInstance } from 'fastify';

/** Time between two searches of a draining server for connections without a request. */
const IDLE_POLL_MS = 20;
/** Grace period in which a busy client sends its next request, even on a loaded machine. */
const GRACE_MS = 500;

/** Serves connections that another listener accepted, and drains them. */
export class HttpConnections {
  readonly #server: FastifyInstance['server'];
  readonly #open = new Set<Socket>();
  /** For each TLS connection after its handshake: the socket that yields the decrypted bytes. */
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

  /** Serve a paused socket from which nothing has been read. */
  take(socket: Socket): void {
    this.#open.add(socket);
    socket.once('close', () => {
      this.#open.delete(socket);
      if (this.#open.size === 0) this.#ended?.();
    });
    this.#server.emit('connection', socket);
    socket.resume();
  }

  /** From now on, tell clients with every response to close their connection. */
  closeAfterResponses(): void {
    if (this.#isClosing) return;
    this.#isClosing = true;
    this.#server.prependListener('request', (_request: IncomingMessage, response: ServerResponse) => {
      response.shouldKeepAlive = false;
    });
  }

  /**
   * Resolves when every connection has ended, either after its response or because it was cut off after a time limit.
   */
  async drain(withinMs: number): Promise<void> {
    this.closeAfterResponses();
    if (this.#open.size === 0) return;
    const began = performance.now();
    const idle = setInterval(() => {
      // This runs after the sockets were read; the file's head says why.
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

  /**
   * Close the connections that are between two requests, and those on which no request has begun, which Node counts as
   * active.
   */
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
