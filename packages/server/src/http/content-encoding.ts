/**
 * Compressed request bodies: `Content-Encoding: gzip` and `deflate`, as TF Serving and Triton take them.
 *
 * A body is decompressed while it is read, and the limit of a body's size holds for what comes out: a small body that would
 * decompress to gigabytes is refused with 413 as soon as it passes the limit, and no more of it is decompressed. Any other
 * encoding is refused with 415 and `Accept-Encoding` (RFC 9110, section 12.5.3). `deflate` is the zlib format (RFC 1950);
 * bare deflate data (RFC 1951), which some clients send under that name, is read as well.
 */
import { PassThrough, type Readable, type Transform } from 'node:stream';
import { createGunzip, createInflate, createInflateRaw } from 'node:zlib';
import type { FastifyInstance, RequestPayload } from 'fastify';

/** The encodings that are taken, as a header of the refusal of any other. */
const ACCEPTED = 'gzip, deflate';
/** Compression method 8 in the low half of the first byte begins the zlib format; bare deflate data does not begin so. */
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

/** A body behind a decompressor, which is made when its first byte is there: that byte names the format of `deflate`. */
function decompressed(payload: Readable, encoding: Encoding, limit: number): RequestPayload {
  const body = new PassThrough() as PassThrough & RequestPayload;
  // Fastify compares the bytes that were received with Content-Length.
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
