/**
 * The errors that clients see: gRPC's canonical codes, their HTTP statuses, and the class `ServingError` that carries
 * both.
 *
 * The map to HTTP is TF Serving's (`http_rest_api_util`): INVALID_ARGUMENT and FAILED_PRECONDITION are both 400,
 * RESOURCE_EXHAUSTED is 429, CANCELLED is 499. The message of a `ServingError` is written for clients. Any other error
 * is an internal error: the client gets `Internal error` with the request's id and nothing else.
 */
import { ShortlistError } from 'shortlist';

/** Canonical code → its number in gRPC and its HTTP status. */
export const STATUS_CODES = {
  CANCELLED: { grpc: 1, http: 499 },
  UNKNOWN: { grpc: 2, http: 500 },
  INVALID_ARGUMENT: { grpc: 3, http: 400 },
  DEADLINE_EXCEEDED: { grpc: 4, http: 504 },
  NOT_FOUND: { grpc: 5, http: 404 },
  ALREADY_EXISTS: { grpc: 6, http: 409 },
  PERMISSION_DENIED: { grpc: 7, http: 403 },
  RESOURCE_EXHAUSTED: { grpc: 8, http: 429 },
  FAILED_PRECONDITION: { grpc: 9, http: 400 },
  ABORTED: { grpc: 10, http: 409 },
  OUT_OF_RANGE: { grpc: 11, http: 400 },
  UNIMPLEMENTED: { grpc: 12, http: 501 },
  INTERNAL: { grpc: 13, http: 500 },
  UNAVAILABLE: { grpc: 14, http: 503 },
  DATA_LOSS: { grpc: 15, http: 500 },
  UNAUTHENTICATED: { grpc: 16, http: 401 },
} as const;

/** The name of a canonical code. */
export type StatusCode = keyof typeof STATUS_CODES;

/**
 * Most characters of a message, which may repeat text of the request. A gRPC status is a header in which each of them
 * takes up to 9 bytes, and many clients accept no more than 8 KiB of headers.
 */
const MESSAGE_MAX = 800;
/** Characters at the end of a longer message that are kept, which often name what is expected. */
const MESSAGE_END = 200;
const LONE_SURROGATE = /\p{Surrogate}/gu;

/**
 * A message that every protocol can send: a long one without its middle, and a lone surrogate, which is not Unicode
 * text, as the replacement character.
 */
function sendable(message: string): string {
  const isLong = message.length > MESSAGE_MAX;
  const short = isLong ? `${message.slice(0, MESSAGE_MAX - MESSAGE_END - 1)}…${message.slice(-MESSAGE_END)}` : message;
  return short.replace(LONE_SURROGATE, '\ufffd');
}

/** An error with a code and a message for the client, of at most 800 characters. */
export class ServingError extends Error {
  readonly code: StatusCode;
  /** Seconds after which the client may retry; sent as Retry-After. */
  readonly retryAfterS: number | undefined;

  constructor(code: StatusCode, message: string, options: ErrorOptions & { retryAfterS?: number } = {}) {
    super(sendable(message), options);
    this.name = 'ServingError';
    this.code = code;
    this.retryAfterS = options.retryAfterS;
  }

  /** The status of the HTTP response. */
  get httpStatus(): number {
    return STATUS_CODES[this.code].http;
  }

  /** The status in gRPC's trailers. */
  get grpcStatus(): number {
    return STATUS_CODES[this.code].grpc;
  }
}

/** An error in the request. */
export function invalidArgument(message: string): ServingError {
  return new ServingError('INVALID_ARGUMENT', message);
}

/**
 * Retry-After for a full disk, in seconds: there may be room soon, because logs rotate and old versions are removed.
 */
const FULL_RETRY_S = 1;

/** Error codes of `shortlist` that are caused by a wrong request. */
const CALLERS_MISTAKES = [
  'ERR_SHAPE',
  'ERR_OPTION',
  'ERR_NOT_FINITE',
  'ERR_IDENTIFIER',
  'ERR_VOCABULARY',
  'ERR_FEATURE',
];

/**
 * Convert any thrown value to the error that the client gets. A `ServingError` stays itself, a library error about the
 * request becomes INVALID_ARGUMENT, a full disk UNAVAILABLE, and everything else INTERNAL with no detail.
 */
export function toServingError(error: unknown): ServingError {
  if (error instanceof ServingError) return error;
  if (error instanceof ShortlistError) {
    if (CALLERS_MISTAKES.includes(error.code))
      return new ServingError('INVALID_ARGUMENT', error.message, { cause: error });
    if (error.code === 'ERR_ABORTED')
      return new ServingError('CANCELLED', 'The request was cancelled', { cause: error });
  }
  // The client gets this message, because its operator can act on it.
  if (isDiskFull(error)) {
    return new ServingError('UNAVAILABLE', 'The disk is full', { cause: error, retryAfterS: FULL_RETRY_S });
  }
  return new ServingError('INTERNAL', 'Internal error', { cause: error });
}

/**
 * The canonical code for a version that did not load: DATA_LOSS if its bytes are damaged, FAILED_PRECONDITION if they
 * are whole but cannot be served, else the code of `toServingError`.
 */
export function loadErrorCode(error: unknown): StatusCode {
  if (error instanceof ShortlistError && error.code === 'ERR_FORMAT') return 'DATA_LOSS';
  if (error instanceof ShortlistError && error.code === 'ERR_DATA') return 'FAILED_PRECONDITION';
  return toServingError(error).code;
}

/** Whether an error, or any error among its causes, says that the disk is full. */
export function isDiskFull(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return ['ENOSPC', 'EDQUOT'].includes((error as NodeJS.ErrnoException).code ?? '') || isDiskFull(error.cause);
}

/** NOT_FOUND in the words of TensorFlow Serving. `which` is such as `Latest(films)`. */
export function servableNotFound(which: string): ServingError {
  return new ServingError('NOT_FOUND', `Servable not found for request: ${which}`);
}
