/**
 * Compressed request bodies: `Content-Encoding: gzip` and `deflate`, as TF Serving and Triton accept them.
 *
 * A body is decompressed while it is read, and the limit on a body's size applies to the decompressed bytes: a small
 * body that would decompress to gigabytes is refused with 413 as soon as it exceeds the limit, and the rest is not
 * decompressed. Any other encoding is refused with 415 and `Accept-Encoding` (RFC 9110, section 12.5.3). `deflate` is
 * the zlib format (RFC 1950); bare deflate data (RFC 1951), which some clients send under that name, is read as well.
 */
import { PassThrough, type Readable, type Transform } from 'node:stream';
import { createGunzip, createInflate, createInflateRaw } from 'node:zlib';
import type { FastifyInstance, RequestPayload } from 'fastify';

/** The accepted encodings, as the header that is sent when any other encoding is refused. */
const ACCEPTED = 'gzip, deflate';
/**
 * The zlib format begins with a byte whose low half is 8, the compression method; bare deflate data never begins with
 * such a byte.
 */
const ZLIB_METHOD = 8;

type Encoding = 'gzip' | 'deflate';

const refusal = (statusCode: number, message: string): Error => Object.assign(new Error(message), { statusCode });

/** Decompress the bodies of requests to `app`. @param limit most bytes of a decompressed body */
export function decompressBodies(app: FastifyInstance, limit: number): void {
  app.addHook('preParsing', (request, reply, payload, done) => {
    const header = request.headers['content-encoding'];
    // Almost every request has no such header.
    if (header === undefined) {
      done(null, payload);
      return;
    }
    const encoding = header.trim().toLowerCase();
    if (encoding === 'identity' || encoding === '') done(null, payload);
    else if (encoding === 'gzip' || encoding === 'x-gzip') done(null, decompressed(payload, 'gzip', limit));
    else if (encoding === 'deflate') done(null, decompressed(payload, encoding, limit));
    else {
      reply.header('accept-encoding', ACCEPTED);
      done(refusal(415, `content-encoding: expected gzip or deflate, got ${header}`));
    }
  });
}

/**
 * A body that is read through a decompressor. The decompressor is made when the first byte has arrived, because that
 * byte tells the two formats of `deflate` apart.
 */
function decompressed(payload: Readable, encoding: Encoding, limit: number): RequestPayload {
  const body = new PassThrough() as PassThrough & RequestPayload;
  // Fastify compares this count of received bytes with Content-Length.
  body.receivedEncodedLength = 0;
  let decompressor: Transform | undefined;
  payload.on('data', (chunk: Buffer) => {
    body.receivedEncodedLength! += chunk.length;
    decompressor ??= begin(decompressorOf(encoding, chunk), encoding, payload, body, limit);
    if (!decompressor.destroyed && !decompressor.write(chunk)) payload.pause();
  });
  payload.on('end', () => {
    if (decompressor) decompressor.end();
    else body.end();
  });
  payload.on('error', (error) => body.destroy(error));
  return body;
}

function decompressorOf(encoding: Encoding, first: Buffer): Transform {
  if (encoding === 'gzip') return createGunzip();
  return (first[0]! & 0x0f) === ZLIB_METHOD ? createInflate() : createInflateRaw();
}

function begin(
  decompressor: Transform,
  encoding: Encoding,
  payload: Readable,
  body: PassThrough,
  limit: number,
): Transform {
  let bytes = 0;
  const fail = (error: Error): void => {
    decompressor.destroy();
    body.destroy(error);
  };
  decompressor.on('drain', () => payload.resume());
  decompressor.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > limit) fail(refusal(413, `body: expected at most ${limit} bytes after decompression, got more`));
    else if (!body.write(chunk)) {
      decompressor.pause();
      body.once('drain', () => decompressor.resume());
    }
  });
  decompressor.on('end', () => body.end());
  decompressor.on('error', () => fail(refusal(400, `body: expected ${encoding} data, got other or fewer bytes`)));
  return decompressor;
}
