/** Requests that a web page of another site can make a browser send change nothing; CORS lets pages in that were named. */
import assert from 'node:assert/strict';
import { request } from 'node:http';
import { after, describe, test } from 'node:test';
import { startTiny, tinyBasePath } from '../fixtures/tiny-bundle.ts';

/** Every request that changes something, and those that tell about the inside. */
const CHANGES: readonly [string, string, string][] = [
  ['POST', '/v1/candidates/upsert', '{"candidates": []}'],
  ['POST', '/v1/candidates/delete', '{"ids": ["x"]}'],
  ['PUT', '/admin/models/films/policy', '{"latest": 1}'],
  ['PUT', '/admin/models/films/labels/stable', '{"version": 1}'],
  ['POST', '/admin/models/films/compact', '{}'],
  ['POST', '/admin/models/films/rebalance', '{}'],
  ['POST', '/v2/repository/models/films/load', '{}'],
  ['POST', '/v2/repository/models/films/unload', '{}'],
];

for (const processes of [1, 2]) {
  describe(`${processes} process${processes === 1 ? '' : 'es'}`, async () => {
    const server = await startTiny(await tinyBasePath(), {
      processes,
      corsOrigins: ['https://shop.example'],
      allowedHosts: ['shortlist.internal'],
    });
    after(() => server.close());
    const own = `127.0.0.1:${server.httpPort}`;

    const send = (
      method: string,
      path: string,
      body: string,
      headers: Record<string, string>,
    ): Promise<{ status: number; headers: NodeJS.Dict<string | string[]>; text: string }> =>
      new Promise((resolve, reject) => {
        const all = { connection: 'close', ...headers };
        const call = request({ host: '127.0.0.1', port: server.httpPort, path, method, headers: all }, (response) => {
          let text = '';
          response.setEncoding('utf8').on('data', (piece: string) => {
            text += piece;
          });
          response.on('end', () => resolve({ status: response.statusCode!, headers: response.headers, text }));
        });
        call.on('error', reject);
        call.end(body);
      });
    const JSON_TYPE = { 'content-type': 'application/json' };

    test('forms, other origins and rebound host names are refused, and nothing changes', async () => {
      for (const [method, path, body] of CHANGES) {
        for (const type of ['application/x-www-form-urlencoded', 'text/plain', 'multipart/form-data; boundary=x']) {
          for (const content of [body, '']) {
            const { status, text } = await send(method, path, content, { 'content-type': type });
            assert.equal(status, 415, `${path} ${type} ${text}`);
            assert.match(text, /content-type: expected application\/json, got /);
          }
        }
        for (const headers of [
          { origin: 'http://evil.example' },
          { origin: 'null' },
          { origin: `http://localhost:${server.httpPort + 1}` },
          { 'sec-fetch-site': 'cross-site' },
          { host: 'evil.example' },
          { host: `evil.example:${server.httpPort}`, origin: `http://evil.example:${server.httpPort}` },
          { host: 'localhost.evil.example' },
          { host: '127.0.0.1.evil.example:80' },
        ] as Record<string, string>[]) {
          const { status, text } = await send(method, path, body, { ...JSON_TYPE, ...headers });
          assert.equal(status, 403, `${path} ${JSON.stringify(headers)} ${text}`);
          assert.match(text, /(origin|host|sec-fetch-site): expected /);
        }
      }
      const { status } = await send('GET', '/admin/models/films', '', { host: 'evil.example' });
      assert.equal(status, 403);
      assert.ok(server.isReady);
      assert.equal(server.registry.models[0]!.records.length, 1);
    });

    test('scripts, this server’s own pages, allowed origins and allowed hosts are let in', async () => {
      for (const headers of [
        {},
        { host: 'localhost' },
        { host: `[::1]:${server.httpPort}` },
        { host: 'shortlist.internal:8501' },
        { origin: `http://${own}` },
        { origin: 'https://shop.example', 'sec-fetch-site': 'cross-site' },
        { 'content-type': 'application/json; charset=utf-8' },
      ] as Record<string, string>[]) {
        const all = { ...JSON_TYPE, ...headers };
        const { status, text } = await send('POST', '/v1/candidates/delete', '{"ids": ["nobody"]}', all);
        assert.equal(status, 200, `${JSON.stringify(headers)} ${text}`);
      }
      // Triton's clients say no type.
      assert.equal((await send('POST', '/v2/repository/models/films/load', '{}', {})).status, 200);
    });

    test('CORS: a page that was named may ask and read, any other may not', async () => {
      const preflight = { 'access-control-request-method': 'POST', 'access-control-request-headers': 'content-type' };
      for (const [origin, allowed] of [
        ['https://shop.example', 'https://shop.example'],
        ['https://evil.example', undefined],
      ] as const) {
        const asked = await send('OPTIONS', '/v1/shortlist', '', { origin, ...preflight });
        assert.equal(asked.headers['access-control-allow-origin'], allowed);
        const answered = await send('POST', '/v1/shortlist', '{"query": "u1"}', { ...JSON_TYPE, origin });
        assert.deepEqual([answered.status, answered.headers['access-control-allow-origin']], [200, allowed]);
      }
    });
  });
}

test('without the option there is no CORS; `*` lets every page read and none change', async () => {
  const closed = await startTiny(await tinyBasePath());
  const open = await startTiny(await tinyBasePath(), { corsOrigins: ['*'] });
  for (const [server, allowed] of [
    [closed, null],
    [open, '*'],
  ] as const) {
    const url = `http://127.0.0.1:${server.httpPort}`;
    const headers = { origin: 'https://any.example', 'content-type': 'application/json' };
    const asked = await fetch(`${url}/v1/shortlist`, { method: 'POST', headers, body: '{"query": "u1"}' });
    assert.deepEqual([asked.status, asked.headers.get('access-control-allow-origin')], [200, allowed]);
    const changed = await fetch(`${url}/v1/candidates/delete`, { method: 'POST', headers, body: '{"ids": ["x"]}' });
    assert.equal(changed.status, 403);
    await server.close();
  }
});
