/**
 * Answers bytes that are no HTTP/1.1 request, and requests that arrive too slowly. Clients that speak another protocol
 * are told what this port expects, and the first of each kind is logged, because such a client often shows its user
 * nothing but a broken connection.
 */
import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { Logger } from 'pino';
import type { StatusCode } from '../status/serving-error.ts';

/** An error of Node's HTTP parser; Fastify's type of it has no Buffer. */
interface ParserError extends Error {
  code?: string;
  /** The bytes at which the parser stopped. */
  rawPacket?: Buffer;
  /** The parser's own words. */
  reason?: string;
}

interface Refusal {
  status: number;
  code: StatusCode;
  message: string;
  /** Whether it is likely that an operator wrote the wrong port or scheme. */
  isOtherProtocol?: boolean;
}

/** The first bytes of every HTTP/2 connection of a client that knows that the server speaks it (RFC 9113, 3.4). */
const HTTP2_PREFACE = 'PRI * HTTP/2.0';
/** The first byte of a TLS handshake (RFC 8446, 5.1). */
const TLS_HANDSHAKE = 0x16;

/** The handler of `clientError`. @param arrivalMs time in which a request must arrive */
export function refuseUnreadable(logger: Logger, arrivalMs: number): (error: Error, socket: Socket) => void {
  const logged = new Set<string>();
  return (error: ParserError, socket) => {
    // The client has gone.
    if (error.code === 'ECONNRESET' || socket.destroyed) return;
    const { status, code, message, isOtherProtocol = false } = refusalOf(error, arrivalMs);
    if (isOtherProtocol && !logged.has(message)) {
      logged.add(message);
      logger.warn({ client: socket.remoteAddress }, message);
    }
    const body = JSON.stringify({ error: message, code });
    if (socket.writable) {
      socket.write(
        `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nContent-Type: application/json\r\n` +
          `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
      );
    }
    socket.destroy(error);
  };
}

function refusalOf({ code, rawPacket, reason, message }: ParserError, arrivalMs: number): Refusal {
  switch (code) {
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return {
        status: 408,
        code: 'DEADLINE_EXCEEDED',
        message: `request: expected all of it within ${arrivalMs} ms, got a part`,
      };
    case 'HPE_HEADER_OVERFLOW':
      return { status: 431, code: 'INVALID_ARGUMENT', message: 'headers: expected at most 16 KiB, got more' };
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return { status: 413, code: 'INVALID_ARGUMENT', message: 'chunk extensions: expected at most 16 KiB, got more' };
  }
  const bad = { status: 400, code: 'INVALID_ARGUMENT' } as const;
  if (rawPacket?.[0] === TLS_HANDSHAKE) {
    const got = 'request: expected HTTP without TLS on this port, got a TLS handshake (https: or grpcs:)';
    return { ...bad, message: got, isOtherProtocol: true };
  }
  if (rawPacket?.toString('latin1', 0, HTTP2_PREFACE.length) === HTTP2_PREFACE) {
    const got = 'request: expected HTTP/1.1 on this port, got HTTP/2; gRPC has a port of its own';
    return { ...bad, message: got, isOtherProtocol: true };
  }
  return { ...bad, message: `request: expected HTTP/1.1, got other bytes (${reason ?? message})` };
}
