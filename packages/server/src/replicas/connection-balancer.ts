/**
 * The listener of a server of several processes: it accepts every connection and gives each to one of the processes,
 * round robin.
 *
 * With a rate limit all connections of one address go to one process, which then counts all requests of that address.
 */
import type { LookupAddress } from 'node:dns';
import { lookup } from 'node:dns/promises';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { OptionError } from 'shortlist';

/** A process that serves connections. Nothing has been read from a connection before it is given to a backend. */
export interface ConnectionBackend {
  take(socket: Socket): void;
  /** Connections that were sent to it and that it has not received yet. */
  readonly inTransit: number;
}

/**
 * A backend with this many connections in transit is skipped: clients that open a connection for each request open them
 * faster than they can be sent to another process.
 */
const IN_TRANSIT_MAX = 64;

/** Connections that the kernel keeps until they are accepted: Node's default for a listener. */
const BACKLOG = 511;

/** Accepts connections and distributes them over backends. */
export class ConnectionBalancer {
  readonly #backends: () => readonly ConnectionBackend[];
  readonly #isByAddress: boolean;
  readonly #servers: Server[] = [];
  #next = 0;
  #acceptedCount = 0;

  /**
   * @param backends returns the backends that accept connections now, at least one
   * @param isByAddress whether all connections of one address go to one backend
   */
  constructor(backends: () => readonly ConnectionBackend[], isByAddress: boolean) {
    this.#backends = backends;
    this.#isByAddress = isByAddress;
  }

  /** Listen on every address of a host; returns the port. @throws {Error} when the port is taken */
  async listen(host: string, port: number): Promise<number> {
    let bound = port;
    let failure: unknown;
    for (const { address } of await addressesOf(host)) {
      // Paused, because the backend must read the first bytes of a connection.
      const server = createServer({ pauseOnConnect: true, noDelay: true }, (socket) => this.#accepted(socket));
      try {
        await new Promise<void>((resolve, reject) => {
          // The listener for errors stays: later errors concern single connections for which the system had no file
          // descriptor.
          server.on('error', reject);
          server.listen({ host: address, port: bound }, resolve);
        });
      } catch (error) {
        // It is enough to listen on one of a name's addresses, because not every machine has both IPv4 and IPv6.
        if (this.#servers.length === 0) failure ??= error;
        continue;
      }
      this.#servers.push(server);
      bound = (server.address() as AddressInfo).port;
    }
    if (this.#servers.length === 0) throw failure;
    return bound;
  }

  /** Accept no more connections. */
  async close(): Promise<void> {
    // Closing a listener resets the connections in the kernel's backlog, and a turn of the event loop accepts only some of
    // them. So it is closed after a turn that accepted none, or when all that were there have been accepted, although
    // others come. The first of two turns may end without the phase that accepts.
    const first = this.#acceptedCount;
    let before: number;
    do {
      before = this.#acceptedCount;
      await nextTurn();
      await nextTurn();
    } while (this.#acceptedCount > before && before - first < BACKLOG);
    for (const server of this.#servers) server.close();
  }

  #accepted(socket: Socket): void {
    this.#acceptedCount++;
    const backends = this.#backends();
    if (this.#isByAddress) {
      backends[sumOf(socket.remoteAddress ?? '') % backends.length]!.take(socket);
      return;
    }
    const turn = backends[this.#next++ % backends.length]!;
    const hasRoom = ({ inTransit }: ConnectionBackend): boolean => inTransit < IN_TRANSIT_MAX;
    (hasRoom(turn) ? turn : (backends.find(hasRoom) ?? turn)).take(socket);
  }
}

/** The addresses of a host. @throws {OptionError} when the name cannot be resolved */
async function addressesOf(host: string): Promise<LookupAddress[]> {
  // Newer versions of Node throw at once if the name contains a NUL, instead of returning a rejected promise.
  const isName = host !== '' && !host.includes('\0');
  const addresses = isName ? await lookup(host, { all: true }).catch(() => []) : [];
  if (addresses.length > 0) return addresses;
  throw new OptionError(`host: expected an address or a name that can be resolved, got ${JSON.stringify(host)}`);
}

function sumOf(text: string): number {
  let sum = 0;
  for (let i = 0; i < text.length; i++) sum += text.charCodeAt(i);
  return sum;
}
