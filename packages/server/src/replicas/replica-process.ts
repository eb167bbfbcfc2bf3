/**
 * One replica, seen from its server: a child process that follows every model and accepts connections.
 *
 * A replica that cannot follow is ended, because it may serve old versions: after a call that failed, or when its event
 * loop no longer runs. Its clients reconnect to another process.
 */
import { type ChildProcess, fork } from 'node:child_process';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import type { Logger } from 'pino';
import type { FollowedVersion, Follower, ShownVersions } from '../models/followers.ts';
import type { Update } from '../servable/contract.ts';
import { PACKAGE_FOLDER } from '../status/package-folder.ts';
import { Channel, type Handlers, ProcessGoneError } from './channel.ts';
import type { ConnectionBackend } from './connection-balancer.ts';
import type { ReplicaCalls, ReplicaReport, ReplicaSettings, ServerCalls } from './protocol.ts';

/** main.ts as `npm run build` bundles it: of two files, it starts sooner than of 110. */
const MAIN = join(PACKAGE_FOLDER, 'build/node/replica/main.js');
/** Time between two pings of a replica. */
const PING_MS = 2_000;
/**
 * Unanswered pings in a row after which a replica is ended, which is after 20 seconds. Updates wait meanwhile. Parsing
 * the head of a large bundle, which blocks a replica's event loop, takes less.
 */
const SILENT_PINGS = 10;

/** Additional time for a draining replica, after which it counts as hanging. */
const DRAIN_MARGIN_MS = 1_000;
/** Longest time that a drained replica takes to end; on a busy machine it does not end at once. */
const STOP_MS = 5_000;

/** A replica, as a follower of models and a backend of connections. */
export class ReplicaProcess implements Follower, ConnectionBackend {
  /** Resolves when the process can accept connections, or has ended. */
  readonly started: Promise<void>;
  /** Resolves when the process has ended. */
  readonly ended: Promise<void>;
  readonly #child: ChildProcess;
  readonly #channel: Channel<ReplicaCalls, ServerCalls>;
  readonly #logger: Logger;
  #isStopping = false;
  /** The reason for which this server has ended the process; undefined if it has not. */
  #reason: string | undefined;

  constructor(settings: ReplicaSettings, answering: Handlers<ServerCalls>, logger: Logger) {
    // Standard error is shared with this process. The serialization `advanced` preserves NaN, bigints and typed arrays.
    this.#child = fork(MAIN, { serialization: 'advanced', stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
    this.#logger = logger.child({ replica: this.#child.pid });
    this.#channel = new Channel(this.#child, answering, undefined, () =>
      this.#logger.warn('a connection was not received in time: a process may have no file descriptor left'),
    );
    // Pings are counted instead of timed, because a server that was held up itself reads responses only after its
    // timers have run.
    let unanswered = 0;
    const pings = setInterval(() => {
      if (unanswered++ >= SILENT_PINGS) this.kill('it did not answer pings');
      void this.#channel.call('ping', undefined).then(
        () => {
          unanswered = 0;
        },
        () => undefined,
      );
    }, PING_MS);
    pings.unref();
    this.ended = new Promise((resolve) => {
      let isOver = false;
      // After an error the process may also exit, and the log has one line for its end.
      const over = (how: object): void => {
        if (isOver) return;
        isOver = true;
        clearInterval(pings);
        const reason = this.#reason;
        if (this.#isStopping && reason === undefined) this.#logger.info(how, 'replica ended');
        else this.#logger.error({ reason, ...how }, 'replica ended, its connections are lost');
        resolve();
      };
      this.#child.once('exit', (code, signal) => over({ code, signal }));
      this.#child.once('error', (err) => {
        this.#child.kill('SIGKILL');
        over({ err });
      });
    });
    this.started = this.#tell('start', settings);
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  take(socket: Socket): void {
    this.#channel.sendConnection(socket);
  }

  get inTransit(): number {
    return this.#channel.inTransit;
  }

  async open(model: string, version: FollowedVersion): Promise<void> {
    try {
      await this.#channel.call('open', { model, version });
    } catch (error) {
      if (!(error instanceof ProcessGoneError)) throw error;
      await this.#over('open', error);
    }
  }

  drop(model: string, version: number): void {
    void this.#tell('drop', { model, version });
  }

  show(model: string, shown: ShownVersions): Promise<void> {
    return this.#tell('show', { model, shown });
  }

  apply(model: string, version: number, updates: readonly Update[]): Promise<void> {
    return this.#tell('apply', { model, version, updates });
  }

  /** Its metrics and statistics; undefined if the process has ended. */
  report(): Promise<ReplicaReport | undefined> {
    return this.#channel.call('report', undefined).catch(() => undefined);
  }

  /** Resolves when its connections have ended, at the latest after `withinMs` and a margin. */
  async drain(withinMs: number): Promise<void> {
    const over = setTimeout(() => this.kill('it did not drain'), withinMs + DRAIN_MARGIN_MS);
    // A replica that drains without a connection ends, and those still on their way to it would be lost.
    await this.#channel.connectionsReceived();
    await this.#tell('drain', { withinMs });
    clearTimeout(over);
  }

  /** End the process by closing its channel. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    if (this.#child.connected) this.#child.disconnect();
    const over = setTimeout(() => this.#child.kill('SIGKILL'), STOP_MS);
    await this.ended;
    clearTimeout(over);
  }

  async #tell<Kind extends Exclude<keyof ReplicaCalls, 'report'>>(
    kind: Kind,
    request: ReplicaCalls[Kind]['request'],
  ): Promise<void> {
    try {
      await this.#channel.call(kind, request);
    } catch (error) {
      await this.#over(kind, error as Error);
    }
  }

  /** End the process after a call that failed; resolves when it has stopped serving. */
  #over(kind: string, error: Error): Promise<void> {
    // Of a process that has ended by itself the exit tells the cause. It is ended here because it may only have closed
    // its channel.
    if (error instanceof ProcessGoneError) this.#child.kill('SIGKILL');
    else this.kill(`${kind}: ${error.message}`);
    return this.ended;
  }

  /** End the process at once; a new one is started in its place. @param why the reason, which the log tells */
  kill(why: string): void {
    if (this.#isStopping) return;
    this.#reason ??= why;
    this.#child.kill('SIGKILL');
  }
}
