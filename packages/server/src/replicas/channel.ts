/**
 * Remote calls between a process and its child over Node's IPC channel, and TCP connections sent through it.
 *
 * Messages arrive in the order they were sent. If a call fails, only the message of the error is sent to the caller.
 */
import { Socket } from 'node:net';
import type { Call } from './protocol.ts';

/** The calls that one process answers, by name. */
type Calls<T> = { [Kind in keyof T]: Call<unknown, unknown> };
/** The functions that answer calls, by name. */
export type Handlers<T extends Calls<T>> = {
  [Kind in keyof T]: (request: T[Kind]['request']) => Promise<T[Kind]['response']> | T[Kind]['response'];
};

/** A process with a channel: `process` in a child, or the ChildProcess. */
interface Endpoint {
  readonly connected: boolean;
  send?:
    | ((
        message: Message,
        handle: Socket | undefined,
        options: { keepOpen: boolean },
        done: (error: Error | null) => void,
      ) => boolean)
    | undefined;
  on(event: 'message', listener: (message: unknown, handle: unknown) => void): unknown;
  on(event: 'disconnect' | 'exit', listener: () => void): unknown;
}

type Message =
  | { is: 'request'; id: number; kind: string; request: unknown }
  | { is: 'response'; id: number; response: unknown }
  | { is: 'error'; id: number; message: string }
  | { is: 'connection'; id: number }
  | { is: 'received'; id: number };

/** The other process has ended or closed the channel. */
export class ProcessGoneError extends Error {
  constructor(cause?: unknown) {
    super('the other process is gone', { cause });
    this.name = 'ProcessGoneError';
  }
}

/**
 * Longest time a connection may be in transit. A process without free file descriptors never receives the connection,
 * and Node reports no error. A process that is only slow still receives it: closing our end does not close the
 * connection.
 */
const TRANSIT_MS = 2_000;

/** One end of a channel. `Theirs` are the calls that the other process answers, `Ours` those that this one answers. */
export class Channel<Theirs extends Calls<Theirs>, Ours extends Calls<Ours>> {
  readonly #endpoint: Endpoint;
  readonly #handlers: Handlers<Ours>;
  readonly #onConnection: (socket: Socket) => void;
  readonly #onLost: () => void;
  readonly #pending = new Map<number, { resolve: (response: unknown) => void; reject: (error: Error) => void }>();
  /** Connections to send, oldest first; the first one was sent and has not been received yet. */
  readonly #inTransit: Socket[] = [];
  /** Called when no connection is in transit any more. */
  readonly #awaitingArrival: (() => void)[] = [];
  #sentId = 0;
  #transitTimer: NodeJS.Timeout | undefined;
  #lastId = 0;

  /**
   * @param onConnection called with each connection that the other process sends
   * @param onLost called when the other process did not receive a connection in time
   */
  constructor(
    endpoint: Endpoint,
    handlers: Handlers<Ours>,
    onConnection: (socket: Socket) => void = (s) => s.destroy(),
    onLost: () => void = () => undefined,
  ) {
    this.#endpoint = endpoint;
    this.#handlers = handlers;
    this.#onConnection = onConnection;
    this.#onLost = onLost;
    endpoint.on('message', (message, handle) => this.#onMessage(message as Message, handle));
    endpoint.on('disconnect', () => this.#gone());
    // While a connection is in transit Node does not report that a killed process has disconnected.
    endpoint.on('exit', () => this.#gone());
  }

  /**
   * Call a function of the other process.
   *
   * @throws {ProcessGoneError} when the other process has ended, {Error} with the function's message when it fails
   */
  call<Kind extends keyof Theirs & string>(
    kind: Kind,
    request: Theirs[Kind]['request'],
  ): Promise<Theirs[Kind]['response']> {
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve: (response) => resolve(response as Theirs[Kind]['response']), reject });
      this.#send({ is: 'request', id, kind, request }, undefined, (error) => {
        this.#pending.delete(id);
        reject(error);
      });
    });
  }

  /** Connections that were sent and not yet received. */
  get inTransit(): number {
    return this.#inTransit.length;
  }

  /** Resolves when no connection is in transit: the other process has received them, has ended, or will not receive them. */
  async connectionsReceived(): Promise<void> {
    if (this.#inTransit.length > 0) await new Promise<void>((resolve) => this.#awaitingArrival.push(resolve));
  }

  /**
   * Send a connection, of which nothing was read, to the other process. It is closed if that process has ended.
   *
   * Connections are sent one at a time, because Node holds back all messages that are sent after a connection in
   * transit.
   */
  sendConnection(socket: Socket): void {
    this.#inTransit.push(socket);
    if (this.#inTransit.length === 1) this.#sendNextConnection();
  }

  #sendNextConnection(): void {
    const [socket] = this.#inTransit;
    if (!socket) {
      for (const resolve of this.#awaitingArrival.splice(0)) resolve();
      return;
    }
    const id = ++this.#lastId;
    this.#sentId = id;
    this.#transitTimer = setTimeout(() => {
      this.#onLost();
      this.#received(id);
    }, TRANSIT_MS);
    this.#transitTimer.unref();
    this.#send({ is: 'connection', id }, socket, () => this.#received(id));
  }

  /**
   * Close this process's handle of the connection in transit, because the other process has received it or never will.
   */
  #received(id: number): void {
    if (id !== this.#sentId) return;
    clearTimeout(this.#transitTimer);
    this.#inTransit.shift()?.destroy();
    this.#sendNextConnection();
  }

  #send(message: Message, handle: Socket | undefined, failed: (error: Error) => void): void {
    if (!this.#endpoint.connected) {
      failed(new ProcessGoneError());
      return;
    }
    this.#endpoint.send!(message, handle, { keepOpen: true }, (error) => {
      if (error) failed(new ProcessGoneError(error));
    });
  }

  #onMessage(message: Message, handle: unknown): void {
    switch (message.is) {
      case 'request':
        void this.#answer(message.id, message.kind as keyof Ours, message.request);
        break;
      case 'connection':
        // There is no handle when the client has hung up meanwhile.
        if (handle instanceof Socket) this.#onConnection(handle);
        this.#send({ is: 'received', id: message.id }, undefined, () => undefined);
        break;
      case 'received':
        this.#received(message.id);
        break;
      case 'response':
        this.#takePending(message.id)?.resolve(message.response);
        break;
      case 'error':
        this.#takePending(message.id)?.reject(new Error(message.message));
    }
  }

  async #answer(id: number, kind: keyof Ours, request: unknown): Promise<void> {
    let message: Message;
    try {
      message = { is: 'response', id, response: await this.#handlers[kind](request as Ours[keyof Ours]['request']) };
    } catch (error) {
      message = { is: 'error', id, message: error instanceof Error ? error.message : String(error) };
    }
    // If the other process has ended, the response is not needed.
    this.#send(message, undefined, () => undefined);
  }

  #takePending(id: number): { resolve: (response: unknown) => void; reject: (error: Error) => void } | undefined {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    return pending;
  }

  #gone(): void {
    for (const { reject } of this.#pending.values()) reject(new ProcessGoneError());
    this.#pending.clear();
    clearTimeout(this.#transitTimer);
    for (const socket of this.#inTransit.splice(0)) socket.destroy();
    for (const resolve of this.#awaitingArrival.splice(0)) resolve();
  }
}
