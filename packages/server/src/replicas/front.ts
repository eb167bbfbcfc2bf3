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
}

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
    for (const { address } of await lookup(host, { all: true })) {
      // Paused: what a connection sends first must be read by whoever serves it.
      const server = createServer({ pauseOnConnect: true, noDelay: true }, (socket) => this.#accepted(socket));
      this.#servers.push(server);
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject);
        server.listen({ host: address, port: bound }, resolve);
      }).catch((error) => {
        this.close();
        throw error;
      });
      bound = (server.address() as AddressInfo).port;
    }
    return bound;
  }

  /** Accept no more. */
  close(): void {
    for (const server of this.#servers) server.close();
  }

  #accepted(socket: Socket): void {
    const takers = this.#takers();
    const at = this.#isByAddress ? sumOf(socket.remoteAddress ?? '') : this.#next++;
    takers[at % takers.length]!.take(socket);
  }
}

function sumOf(text: string): number {
  let sum = 0;
  for (let i = 0; i < text.length; i++) sum += text.charCodeAt(i);
  return sum;
}
