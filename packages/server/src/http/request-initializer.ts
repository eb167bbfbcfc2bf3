/**
 * Initializes a request when it arrives: the server's logger, the time of arrival, and its id as a header of the
 * response.
 *
 * Fastify's log controller is called for every request and is the cheapest place for this: a logger in Fastify's
 * options adds listeners to every response, a logger factory checks each method of a logger, and a hook allocates
 * closures. Together these were 3 of 43 µs a request.
 */
import { type FastifyBaseLogger, type FastifyReply, type FastifyRequest, LogController } from 'fastify';

declare module 'fastify' {
  interface FastifyRequest {
    /** Time of arrival, by performance.now(). */
    began: number;
  }
}

/** Initializes requests. A request that is answered writes no log line; only errors are logged. */
export class RequestInitializer extends LogController {
  readonly #logger: FastifyBaseLogger;

  constructor(logger: FastifyBaseLogger) {
    super({ disableRequestLogging: true });
    this.#logger = logger;
  }

  override incomingRequest(request: FastifyRequest, reply: FastifyReply): void {
    request.log = this.#logger;
    reply.log = this.#logger;
    request.began = performance.now();
    reply.header('x-request-id', request.id);
  }
}
