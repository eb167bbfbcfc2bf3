/**
 * The listener of a server of several processes: it accepts every connection and hands each to one of them, in turns.
 *
 * With a rate limit all connections of one address go to one process, which then counts all of its queries.
 */
import { lookup } from 'node:dns/promises';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';

/** Serves a connection of which nothing was read. */
export interface Taker {
  take(socket: Socket): void;
  /** Connections it was given that have not arrived there yet. */
  readonly leaving: number;
}

/** Beyond, others are given connections: clients that open one for each request open more than can be handed over. */
const LEAVING_MAX = 64;

/** Accepts connections. */
export class Front {
  readonly #takers: () => readonly Taker[];
  readonly #isByAddress: boolean;
  readonly #servers: Server[] = [];
  #next = 0;

  /** @param takers who takes connections now, never empty */
  constructor(takers: () => readonly Taker[], isByAddress: boolean) {
    this.#takers = takers;
    this.#isByAddress = isByAddress;
  }

  /** Listen on every address of a host; the port. @throws {Error} when it is taken */
  async listen(host: string, port: number): Promise<number> {
    let bound = port;
    let failure: unknown;
    for (const { address } of await lookup(host, { all: true })) {
      // Paused: what a connection sends first must be read by whoever serves it.
      const server = createServer({ pauseOnConnect: true, noDelay: true }, (socket) => this.#accepted(socket));
      try {
        await new Promise<void>((resolve, reject) => {
          // Kept: later ones are of single connections, which the machine had no room for.
          server.on('error', reject);
          server.listen({ host: address, port: bound }, resolve);
        });
      } catch (error) {
        // Of a name with several addresses one must be there: not every machine has both kinds.
        if (this.#servers.length === 0) failure ??= error;
        continue;
      }
      this.#servers.push(server);
      bound = (server.address() as AddressInfo).port;
    }
    if (this.#servers.length === 0) throw failure;
    return bound;
  }

  /** Accept no more. */
  close(): void {
    for (const server of this.#servers) server.close();
  }

  #accepted(socket: Socket): void {
    const takers = this.#takers();
    if (this.#isByAddress) {
      takers[sumOf(socket.remoteAddress ?? '') % takers.length]!.take(socket);
      return;
    }
    const taker = takers[this.#next++ % takers.length]!;
    (taker.leaving < LEAVING_MAX ? taker : (takers.find(({ leaving }) => leaving < LEAVING_MAX) ?? taker)).take(socket);
  }
}

function sumOf(text: string): number {
  let sum = 0;
  for (let i = 0; i < text.length; i++) sum += text.charCodeAt(i);
  return sum;
}
