/**
 * The gRPC server, with the services of TF Serving, of the Open Inference Protocol and of `shortlist.v1`, health and
 * reflection.
 */
import { experimental, type Server, ServerCredentials } from '@grpc/grpc-js';
import { HealthImplementation } from 'grpc-health-check';
import { TLS_POLL_MS, type TlsFiles } from '../access/tls-files.ts';
import type { ServingContext } from '../context/serving-context.ts';
import { candidateService } from './candidate-service.ts';
import { serviceOf } from './definitions.ts';
import { eventService } from './event-service.ts';
import { GuardedServer } from './guarded-server.ts';
import { inferenceService } from './inference-service.ts';
import { addReflection } from './reflection.ts';
import type { OpenStreams } from './streams.ts';
import { modelService, predictionService } from './tensorflow-service.ts';

const SERVICES = {
  'tensorflow.serving.PredictionService': predictionService,
  'tensorflow.serving.ModelService': modelService,
  'inference.GRPCInferenceService': inferenceService,
  'shortlist.v1.CandidateService': candidateService,
  'shortlist.v1.EventService': eventService,
} as const;

/** A gRPC server that is not yet listening. */
export class GrpcServer {
  readonly #server: Server;
  readonly #health: HealthImplementation;
  readonly #streams: OpenStreams = new Set();

  constructor(context: ServingContext) {
    const { bodyBytes, pingMs, arrivalMs } = context.limits;
    const channelOptions = {
      'grpc.max_receive_message_length': bodyBytes,
      'grpc.max_send_message_length': -1,
      // Without pings a client that vanished without closing, as behind a lost network, keeps its socket for ever.
      // grpc-js accepts any pings from clients.
      'grpc.keepalive_time_ms': pingMs,
      'grpc.keepalive_timeout_ms': arrivalMs,
    };
    this.#server = new GuardedServer(channelOptions, context.logger);
    for (const [name, implement] of Object.entries(SERVICES)) {
      this.#server.addService(serviceOf(name), implement(context, this.#streams));
    }
    this.#health = new HealthImplementation(
      Object.fromEntries(['', ...Object.keys(SERVICES)].map((name) => [name, 'NOT_SERVING'])),
    );
    this.#health.addToServer(this.#server);
    addReflection(this.#server);
  }

  /** Listen; returns the port. Certificates are read again when their files change. */
  listen(host: string, port: number, tls: TlsFiles | undefined): Promise<number> {
    const credentials = tls ? this.#tlsCredentials(tls) : ServerCredentials.createInsecure();
    const address = host.includes(':') ? `[${host}]` : host;
    return new Promise((resolve, reject) => {
      this.#server.bindAsync(`${address}:${port}`, credentials, (error, bound) =>
        error ? reject(error) : resolve(bound),
      );
    });
  }

  #tlsCredentials({ cert, key, ca }: TlsFiles): ServerCredentials {
    const { createCertificateProviderServerCredentials, FileWatcherCertificateProvider } = experimental;
    const provider = new FileWatcherCertificateProvider({
      certificateFile: cert,
      privateKeyFile: key,
      // The provider requires a certificate authority; without mutual TLS it is not used.
      caCertificateFile: ca ?? cert,
      refreshIntervalMs: TLS_POLL_MS,
    });
    return createCertificateProviderServerCredentials(provider, provider, ca !== undefined);
  }

  /** Set the status that the health service reports for the server and each of its services. */
  setServing(serving: boolean): void {
    for (const name of ['', ...Object.keys(SERVICES)])
      this.#health.setStatus(name, serving ? 'SERVING' : 'NOT_SERVING');
  }

  /** Accept no more calls and finish those under way; after `graceMs` cut off the rest. */
  close(graceMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#server.forceShutdown(), graceMs);
      for (const stop of this.#streams) stop();
      this.#server.tryShutdown(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }
}
