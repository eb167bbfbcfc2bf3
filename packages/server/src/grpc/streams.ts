/**
 * A bidirectional gRPC stream as a function that answers one message. Every message is answered like a separate call,
 * in the order of the messages.
 *
 * Up to `UNDER_WAY_MAX` messages of a stream are answered at the same time, so that they share scans. At that bound, or
 * while the client does not read its responses, no more messages are read, and HTTP/2's flow control holds the client
 * back. The messages of a cancelled stream are removed from the queue. When the server stops, it answers the messages
 * that it has read and ends the stream with UNAVAILABLE; it does not wait for the client, because a stream may last for
 * days.
 */
import type { handleBidiStreamingCall, ServerDuplexStream } from '@grpc/grpc-js';
import type { Role } from '../access/api-keys.ts';
import type { ServingContext } from '../context/serving-context.ts';
import { traced } from '../observe/tracing.ts';
import { ServingError, toServingError } from '../status/serving-error.ts';
import { admitCall, type CallOptions, callOptions, logFailure } from './unary.ts';

/** Messages of one stream that may be under way: the default number of queries of one scan. */
const UNDER_WAY_MAX = 64;

/** The open streams, each as a function that ends it. */
export type OpenStreams = Set<() => void>;

/** The functions that answer the messages of a stream. */
export interface StreamAnswers<Q, A> {
  answer: (message: Q, options: CallOptions) => Promise<A>;
  /** The response to a message that was refused; undefined ends the stream with the status of the refusal. */
  refuse: (message: Q, refusal: ServingError) => A | undefined;
}

/** Make a handler for grpc-js; `begin` is called for each stream. */
export function streamed<Q, A>(
  context: ServingContext,
  role: Role,
  streams: OpenStreams,
  begin: (call: ServerDuplexStream<Q, A>) => StreamAnswers<Q, A>,
): handleBidiStreamingCall<Q, A> {
  return (call) => {
    try {
      admitCall(context, call, role);
    } catch (error) {
      endWith(call, toServingError(error));
      return;
    }
    answerInOrder(context, call, streams, begin(call));
  };
}

function answerInOrder<Q, A>(
  context: ServingContext,
  call: ServerDuplexStream<Q, A>,
  streams: OpenStreams,
  { answer, refuse }: StreamAnswers<Q, A>,
): void {
  let underWay = 0;
  let isOver = false;
  let written: Promise<void> = Promise.resolve();
  const end = (refusal?: ServingError): void => {
    if (isOver) return;
    isOver = true;
    call.pause();
    if (refusal) endWith(call, refusal);
    else call.end();
  };
  const answered = async (message: Q): Promise<{ message: A } | { refusal: ServingError }> => {
    try {
      return { message: await traced(call.getPath(), {}, () => answer(message, callOptions(context, call))) };
    } catch (error) {
      const refusal = toServingError(error);
      logFailure(context, call, refusal);
      const said = refuse(message, refusal);
      return said === undefined ? { refusal } : { message: said };
    }
  };
  call.on('data', (message: Q) => {
    if (++underWay === UNDER_WAY_MAX) call.pause();
    const next = answered(message);
    const writeNext = async (): Promise<void> => {
      const outcome = await next;
      if (!isOver && 'refusal' in outcome) end(outcome.refusal);
      if (!isOver && 'message' in outcome) await write(call, outcome.message);
      if (underWay-- === UNDER_WAY_MAX && !isStopping) call.resume();
    };
    written = written.then(writeNext).catch((error: unknown) => {
      const refusal = toServingError(error);
      logFailure(context, call, refusal);
      end(refusal);
    });
  });
  let isStopping = false;
  const stop = (): void => {
    isStopping = true;
    call.pause();
    void written.then(() => end(new ServingError('UNAVAILABLE', 'The server is stopping', { retryAfterS: 1 })));
  };
  streams.add(stop);
  call.on('end', () => void written.then(() => end()));
  call.on('close', () => {
    isOver = true;
    streams.delete(stop);
  });
}

/** Write a response; resolves when there is room for the next one. */
function write<A>(call: ServerDuplexStream<unknown, A>, message: A): Promise<void> {
  return new Promise((resolve) => {
    // The callback is also called, with an error, when the client has disconnected.
    if (call.write(message, () => resolve())) resolve();
  });
}

function endWith(call: ServerDuplexStream<unknown, unknown>, { grpcStatus, message }: ServingError): void {
  call.emit('error', { code: grpcStatus, details: message });
}
