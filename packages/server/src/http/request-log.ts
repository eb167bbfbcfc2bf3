/**
 * Where lines about requests go: to the server's own logger.
 *
 * A logger among Fastify's options costs listeners on every response, and one that a factory makes for a request is checked
 * method by method, 2 of 40 µs together. So Fastify is given none, and requests get the server's when they come.
 */
import { type FastifyBaseLogger, type FastifyReply, type FastifyRequest, LogController } from 'fastify';

declare module 'fastify' {
  interface FastifyRequest {
    /** When it came, by performance.now(). */
    began: number;
  }
}

/** Lets requests log what goes wrong; that they came and went is no line. */
export class RequestLog extends LogController {
  readonly #logger: FastifyBaseLogger;

  constructor(logger: FastifyBaseLogger) {
    super({ disableRequestLogging: true });
    this.#logger = logger;
  }

  override incomingRequest(request: FastifyRequest, reply: FastifyReply): void {
    request.log = this.#logger;
    reply.log = this.#logger;
    request.began = performance.now();
  }
}
