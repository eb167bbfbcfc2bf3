/**
 * Calls between a process and its child, over Node's own channel between them, and connections handed through it.
 *
 * Messages arrive in the order they were sent. What fails in one process is told to the other by its message alone.
 */
import type { Serializable } from 'node:child_process';
import { Socket } from 'node:net';
import type { Call } from './calls.ts';

/** Calls by name. */
type Calls<T> = { [Kind in keyof T]: Call<unknown, unknown> };
/** What answers them. */
export type Answering<T extends Calls<T>> = {
  [Kind in keyof T]: (ask: T[Kind]['ask']) => Promise<T[Kind]['answer']> | T[Kind]['answer'];
};

/** A process with a channel: `process` in a child, or the ChildProcess. */
interface Endpoint {
  readonly connected: boolean;
  send?:
    | ((
        message: Serializable,
        handle: Socket | undefined,
        options: { keepOpen: boolean },
        done: (error: Error | null) => void,
      ) => boolean)
    | undefined;
  on(event: 'message', listener: (message: unknown, handle: unknown) => void): unknown;
  on(event: 'disconnect' | 'exit', listener: () => void): unknown;
}

type Message =
  | { is: 'ask'; id: number; kind: string; ask: unknown }
  | { is: 'answer'; id: number; answer: unknown }
  | { is: 'failure'; id: number; why: string }
  | { is: 'connection'; id: number }
  | { is: 'taken'; id: number };

/** The other process cannot be asked any more. */
export class ProcessGoneError extends Error {
  constructor(cause?: unknown) {
    super('the other process is gone', { cause });
    this.name = 'ProcessGoneError';
  }
}

/**
 * A process that has not taken a connection by then never will: without file descriptors left it gets none, and Node tells
 * nobody. One that was only slow keeps its end, which does not need ours.
 */
const HANDED_MS = 2_000;

/** One end. `Theirs` are the calls the other process answers, `Ours` those answered here. */
export class Channel<Theirs extends Calls<Theirs>, Ours extends Calls<Ours>> {
  readonly #endpoint: Endpoint;
  readonly #answering: Answering<Ours>;
  readonly #take: (socket: Socket) => void;
  readonly #waiting = new Map<number, { resolve: (answer: never) => void; reject: (error: Error) => void }>();
  /** Connections to be handed over; the first is on its way. */
  readonly #leaving: Socket[] = [];
  #onItsWay = 0;
  #lost: NodeJS.Timeout | undefined;
  #count = 0;

  /** @param take what is done with a connection that is handed over */
  constructor(endpoint: Endpoint, answering: Answering<Ours>, take: (socket: Socket) => void = (s) => s.destroy()) {
    this.#endpoint = endpoint;
    this.#answering = answering;
    this.#take = take;
    endpoint.on('message', (message, handle) => this.#received(message as Message, handle));
    endpoint.on('disconnect', () => this.#gone());
    // While a connection is on its way Node never says that a killed process has disconnected.
    endpoint.on('exit', () => this.#gone());
  }

  /** Ask the other process. @throws {ProcessGoneError} when it is gone, {Error} with its reason when it fails */
  call<Kind extends keyof Theirs & string>(kind: Kind, ask: Theirs[Kind]['ask']): Promise<Theirs[Kind]['answer']> {
    const id = ++this.#count;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve: resolve as (answer: never) => void, reject });
      this.#send({ is: 'ask', id, kind, ask }, undefined, (error) => {
        this.#waiting.delete(id);
        reject(error);
      });
    });
  }

  /** Connections that were handed over and not yet taken. */
  get leaving(): number {
    return this.#leaving.length;
  }

  /**
   * Hand a connection over, of which nothing was read; it is ended when the other process is gone.
   *
   * One at a time: behind a connection on its way Node holds back every other message.
   */
  hand(socket: Socket): void {
    this.#leaving.push(socket);
    if (this.#leaving.length === 1) this.#handNext();
  }

  #handNext(): void {
    const [socket] = this.#leaving;
    if (!socket) return;
    const id = ++this.#count;
    this.#onItsWay = id;
    this.#lost = setTimeout(() => this.#handed(id), HANDED_MS);
    this.#lost.unref();
    this.#send({ is: 'connection', id }, socket, () => this.#handed(id));
  }

  /** Close this process's end of a connection: the other one has it, or nobody will. */
  #handed(id: number): void {
    if (id !== this.#onItsWay) return;
    clearTimeout(this.#lost);
    this.#leaving.shift()?.destroy();
    this.#handNext();
  }

  #send(message: Message, handle: Socket | undefined, failed: (error: Error) => void): void {
    if (!this.#endpoint.connected) {
      failed(new ProcessGoneError());
      return;
    }
    this.#endpoint.send!(message as unknown as Serializable, handle, { keepOpen: true }, (error) => {
      if (error) failed(new ProcessGoneError(error));
    });
  }

  #received(message: Message, handle: unknown): void {
    switch (message.is) {
      case 'ask':
        void this.#answer(message.id, message.kind as keyof Ours, message.ask);
        break;
      case 'connection':
        // A client that has hung up meanwhile leaves nothing to take.
        if (handle instanceof Socket) this.#take(handle);
        this.#send({ is: 'taken', id: message.id }, undefined, () => undefined);
        break;
      case 'taken':
        this.#handed(message.id);
        break;
      case 'answer':
        this.#settle(message.id)?.resolve(message.answer as never);
        break;
      case 'failure':
        this.#settle(message.id)?.reject(new Error(message.why));
    }
  }

  async #answer(id: number, kind: keyof Ours, ask: unknown): Promise<void> {
    let message: Message;
    try {
      message = { is: 'answer', id, answer: await this.#answering[kind](ask as never) };
    } catch (error) {
      message = { is: 'failure', id, why: error instanceof Error ? error.message : String(error) };
    }
    // Nobody waits when the other process is gone.
    this.#send(message, undefined, () => undefined);
  }

  #settle(id: number): { resolve: (answer: never) => void; reject: (error: Error) => void } | undefined {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    return waiting;
  }

  #gone(): void {
    for (const { reject } of this.#waiting.values()) reject(new ProcessGoneError());
    this.#waiting.clear();
    clearTimeout(this.#lost);
    for (const socket of this.#leaving.splice(0)) socket.destroy();
  }
}
