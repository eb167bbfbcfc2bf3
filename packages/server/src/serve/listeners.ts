/** The listeners of a server: HTTP, shared with its replicas, and gRPC, with the certificates of both. */
import type { FastifyInstance } from 'fastify';
import type { TlsMaterial } from '../access/tls-files.ts';
import type { ServingContext } from '../context/serving-context.ts';
import type { GrpcServer } from '../grpc/server.ts';
import { renewCertificates } from '../http/certificates.ts';
import type { ForwardedRequest, ForwardedResponse } from '../http/forwarding.ts';
import { watchDescriptors } from '../observe/descriptor-watch.ts';
import type { Replicas } from '../replicas/replicas.ts';
import { type HttpListener, listenHttp } from './http-listener.ts';
import type { ServerOptions } from './options.ts';
import { DEFAULT_HOST } from './settings.ts';

/** The HTTP and gRPC listeners; open from `listen` to `close`. */
export class Listeners {
  readonly #stops: (() => void)[] = [];
  #app: FastifyInstance | undefined;
  #http: HttpListener | undefined;
  #grpc: GrpcServer | undefined;
  #grpcPort = 0;

  /** Port of HTTP; 0 before `listen`. */
  get httpPort(): number {
    return this.#http?.port ?? 0;
  }

  /** Port of gRPC; 0 if gRPC is off. */
  get grpcPort(): number {
    return this.#grpcPort;
  }

  /** Listen, with certificates that the caller has read. @throws when a port cannot be listened on */
  async listen(
    context: ServingContext,
    replicas: Replicas | undefined,
    tls: TlsMaterial | undefined,
    options: ServerOptions,
  ): Promise<void> {
    const { host = DEFAULT_HOST, httpPort = 8501, grpcPort = 8500, tls: files, requestsPerSecond } = options;
    const { metrics, logger } = context;
    const { createHttpApp } = await import('../http/app.ts');
    const app = await createHttpApp(context, { tls, requestsPerSecond });
    this.#app = app;
    const isByAddress = requestsPerSecond !== undefined;
    this.#http = await listenHttp(app, replicas, { host, port: httpPort, isByAddress });
    this.#stops.push(watchDescriptors(metrics.descriptorObserver(logger)));
    if (files) this.#stops.push(renewCertificates(app, files, logger));
    if (grpcPort === null) return;
    // gRPC is loaded only if it is used, so that a server without it starts faster.
    const { GrpcServer } = await import('../grpc/server.ts');
    this.#grpc = new GrpcServer(context);
    this.#grpcPort = await this.#grpc.listen(host, grpcPort, files);
  }

  /** The response to a request that a replica forwarded. */
  async forward(request: ForwardedRequest): Promise<ForwardedResponse> {
    const { answerForwarded } = await import('../http/forwarding.ts');
    return answerForwarded(this.#app!, request);
  }

  /** Tell the clients of gRPC's health service whether the server is ready. */
  setServing(isServing: boolean): void {
    this.#grpc?.setServing(isServing);
  }

  /** Stop watching file descriptors and certificates. */
  stopWatching(): void {
    for (const stop of this.#stops) stop();
  }

  /** Accept no more connections, finish the requests under way within the given time, and cut off the rest. */
  async close(withinMs: number): Promise<void> {
    await Promise.all([this.#http?.close(withinMs), this.#grpc?.close(withinMs)]);
  }
}
