/** Compressed bodies on every protocol and process, the limit behind decompression, and encodings that are refused. */
import assert from 'node:assert/strict';
import { request } from 'node:http';
import { after, describe, test } from 'node:test';
import { deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { startTiny, tinyBasePath } from '../fixtures/tiny-bundle.ts';

const LIMIT = 64 << 10;

/** Encodings of bodies beyond the limit, by a byte and by far. */
const BOMBS = [LIMIT + 1, 64 << 20].flatMap((size) => {
  const plain = Buffer.alloc(size, 0x20);
  return [['gzip', gzipSync(plain)] as const, ['deflate', deflateSync(plain)] as const];
});

for (const processes of [1, 2]) {
  describe(`${processes} process${processes === 1 ? '' : 'es'}`, async () => {
    const server = await startTiny(await tinyBasePath(), { processes, limits: { bodyBytes: LIMIT } });
    after(() => server.close());

    /** POST bytes, in pieces without a length or whole; status, body, Accept-Encoding. */
    const send = (
      path: string,
      body: Buffer,
      encoding: string | undefined,
      isChunked = false,
    ): Promise<{ status: number; text: string; accepts: unknown }> =>
      new Promise((resolve, reject) => {
        const headers: Record<string, string> = { 'content-type': 'application/json', connection: 'close' };
        if (encoding !== undefined) headers['content-encoding'] = encoding;
        if (!isChunked) headers['content-length'] = String(body.length);
        const call = request({ port: server.httpPort, path, method: 'POST', headers }, (response) => {
          let text = '';
          response.setEncoding('utf8').on('data', (piece: string) => {
            text += piece;
          });
          response.on('end', () =>
            resolve({ status: response.statusCode!, text, accepts: response.headers['accept-encoding'] }),
          );
        });
        call.on('error', reject);
        if (isChunked) for (let at = 0; at < body.length; at += 7) call.write(body.subarray(at, at + 7));
        call.end(isChunked ? undefined : body);
      });

    const tensor = { name: 'query', shape: [1], datatype: 'BYTES', data: ['u1'] };
    const REQUESTS: readonly [string, object][] = [
      ['/v1/models/films:predict', { instances: ['u1'] }],
      ['/v2/models/films/infer', { inputs: [tensor] }],
      ['/v1/shortlist', { query: 'u1', filter: { equals: { genre: 'drama' } } }],
      ['/v1/candidates/delete', { ids: ['nobody'] }],
      ['/v2/repository/index', {}],
    ];
    const timeless = (text: string): string => text.replace(/"tookMs":[\d.e-]+/, '');

    test('gzip and deflate bodies are answered as plain ones are', async () => {
      for (const [path, message] of REQUESTS) {
        const body = Buffer.from(JSON.stringify(message));
        const plain = await send(path, body, undefined);
        assert.equal(plain.status, 200, plain.text);
        for (const [encoding, compressed] of [
          ['gzip', gzipSync(body)],
          ['x-gzip', gzipSync(body)],
          ['GZIP', gzipSync(body)],
          ['deflate', deflateSync(body)],
          ['deflate', deflateRawSync(body)],
          ['identity', body],
        ] as const) {
          for (const isChunked of [false, true]) {
            const { status, text } = await send(path, compressed, encoding, isChunked);
            assert.deepEqual([status, timeless(text)], [200, timeless(plain.text)], `${path} ${encoding} ${isChunked}`);
          }
        }
      }
    });

    test('a body that decompresses to more than the limit is 413, and no more of it is decompressed', async () => {
      for (const [encoding, bomb] of BOMBS) {
        for (const [path] of REQUESTS) {
          const { status, text } = await send(path, bomb, encoding);
          if (bomb.length <= LIMIT) assert.match(text, /expected at most 65536 bytes/, `${path} ${text}`);
          assert.equal(status, 413, path);
        }
      }
      const padded = gzipSync(Buffer.from(JSON.stringify({ instances: ['u1'] }).padEnd(LIMIT, ' ')));
      assert.equal((await send('/v1/models/films:predict', padded, 'gzip')).status, 200);
    });

    test('other encodings are 415 with those that are taken; bytes that are none are 400', async () => {
      const body = gzipSync(Buffer.from(JSON.stringify({ query: 'u1' })));
      for (const encoding of ['br', 'zstd', 'zzz', 'gzip, gzip', 'deflate, gzip', 'compress']) {
        for (const [path] of REQUESTS) {
          const { status, text, accepts } = await send(path, body, encoding);
          assert.deepEqual([status, accepts], [415, 'gzip, deflate'], `${path} ${encoding}`);
          assert.match(text, /content-encoding: expected gzip or deflate, got /);
        }
      }
      for (const bytes of [Buffer.from('{"query": "u1"}'), body.subarray(0, -9), body.subarray(0, 12)]) {
        const { status, text } = await send('/v1/shortlist', bytes, 'gzip');
        assert.equal(status, 400, text);
        assert.match(text, /expected gzip data/);
      }
      const { status } = await send('/v1/shortlist', Buffer.alloc(0), 'gzip');
      assert.equal(status, 400);
    });
  });
}
