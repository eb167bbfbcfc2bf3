/**
 * A unary gRPC call as a function: the API key is checked, the deadline is read, and an error becomes a gRPC status.
 */
import { type handleUnaryCall, Metadata, type ServerDuplexStream, type ServerUnaryCall } from '@grpc/grpc-js';
import { presentedKey, type Role } from '../access/api-keys.ts';
import type { ServingContext } from '../context/serving-context.ts';
import type { RequestLimits } from '../models/run-signature.ts';
import { traced } from '../observe/tracing.ts';
import type { RequestOptions } from '../queue/batcher.ts';
import { type ServingError, toServingError } from '../status/serving-error.ts';

/** Options of a call. */
export type CallOptions = RequestOptions & { limits: RequestLimits };

/** Sets an entry of the metadata that follows the answer. */
export type SetTrailer = (name: string, value: string) => void;

/** A unary or a streaming call. */
type AnyCall = ServerUnaryCall<unknown, unknown> | ServerDuplexStream<unknown, unknown>;

/** Make a handler for grpc-js from a function of message and options. */
export function unary<Q, A>(
  context: ServingContext,
  role: Role | 'open',
  answer: (message: Q, options: CallOptions, setTrailer: SetTrailer) => Promise<A> | A,
): handleUnaryCall<Q, A> {
  return (call, callback) => {
    let trailer: Metadata | undefined;
    const setTrailer = (name: string, value: string): void => {
      trailer ??= new Metadata();
      trailer.set(name, value);
    };
    traced(call.getPath(), {}, async () => {
      if (role !== 'open') admitCall(context, call, role);
      return answer(call.request, callOptions(context, call), setTrailer);
    }).then(
      (message) => callback(null, message, trailer),
      (error: unknown) => {
        const refusal = toServingError(error);
        logFailure(context, call, refusal);
        callback({ code: refusal.grpcStatus, details: refusal.message, metadata: retryAfter(refusal) });
      },
    );
  };
}

/** Log the cause of an internal error. The client does not get the cause. */
export function logFailure({ logger }: ServingContext, call: AnyCall, refusal: ServingError): void {
  if (refusal.code !== 'INTERNAL') return;
  logger.error({ err: refusal.cause ?? refusal, path: call.getPath() }, 'call failed');
}

/** Check the API key of a call. @throws {ServingError} */
export function admitCall({ keys }: ServingContext, call: AnyCall, role: Role): void {
  const first = (name: string): string | undefined => call.metadata.get(name)[0]?.toString();
  keys.check(presentedKey(first('authorization'), first('x-api-key')), role);
}

/** The deadline of a call, and whether its client has disconnected. */
export function callOptions({ limits }: ServingContext, call: AnyCall): CallOptions {
  const given = call.getDeadline();
  const leftMs = Number(given) - Date.now();
  const deadline =
    performance.now() + Math.min(limits.deadlineMs, Number.isFinite(leftMs) ? leftMs : limits.deadlineMs);
  const signal = {
    get aborted(): boolean {
      return call.cancelled;
    },
  };
  return { limits, deadline, signal };
}

/** gRPC's retry push-back: the time after which the client may retry. */
function retryAfter({ retryAfterS }: ServingError): Metadata {
  const metadata = new Metadata();
  if (retryAfterS !== undefined) metadata.set('grpc-retry-pushback-ms', String(retryAfterS * 1000));
  return metadata;
}
