/** Methods and paths that no route takes, URLs that cannot be decoded, probes, and what bodies should have been. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { connect } from 'node:net';
import { after, describe, test } from 'node:test';
import { fetchUnpooled, post, startTiny, tinyBasePath } from '../fixtures/tiny-bundle.ts';

const KEYS = [
  { name: 'site', sha256: createHash('sha256').update('reads').digest('hex'), role: 'read' },
  { name: 'jobs', sha256: createHash('sha256').update('writes').digest('hex'), role: 'write' },
] as const;

/** The status line and body of a request sent byte for byte. */
function raw(port: number, head: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    const socket = connect(port, '127.0.0.1', () =>
      socket.write(`${head}\r\nhost: localhost\r\nconnection: close\r\n\r\n`),
    );
    socket.setEncoding('utf8').on('data', (piece: string) => {
      text += piece;
    });
    socket.on('end', () => resolve(text));
    socket.on('error', reject);
  });
}

for (const processes of [1, 2]) {
  describe(`${processes} process${processes === 1 ? '' : 'es'}`, async () => {
    const server = await startTiny(await tinyBasePath(), { processes });
    after(() => server.close());
    const url = `http://127.0.0.1:${server.httpPort}`;

    test('a method that a path does not take is 405, with those that it takes', async () => {
      const ALLOWED: readonly [string, readonly string[], string][] = [
        ['/v1/shortlist', ['GET', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'HEAD'], 'POST'],
        ['/v1/candidates/upsert', ['GET', 'PUT', 'DELETE'], 'POST'],
        ['/v1/candidates/delete', ['GET', 'PUT'], 'POST'],
        ['/admin/models/films', ['POST', 'PUT', 'DELETE'], 'GET, HEAD'],
        ['/admin/models/films/policy', ['GET', 'POST', 'DELETE'], 'PUT'],
        ['/admin/models/films/labels/x', ['GET', 'POST', 'DELETE'], 'PUT'],
        ['/admin/models/films/compact', ['GET', 'PUT'], 'POST'],
        ['/admin/models/films/rebalance?now', ['GET', 'PUT'], 'POST'],
        ['/v1/models/films:predict', ['GET', 'PUT', 'DELETE', 'PATCH', 'HEAD', 'OPTIONS'], 'POST'],
        ['/v1/models/films', ['POST', 'PUT', 'DELETE', 'OPTIONS'], 'GET, HEAD'],
        ['/v1/models/films/versions/1/metadata', ['POST', 'PUT'], 'GET, HEAD'],
        ['/v2', ['POST', 'DELETE'], 'GET, HEAD'],
        ['/v2/models/films/infer', ['GET', 'PUT', 'HEAD'], 'POST'],
        ['/v2/models/films/versions/1/infer', ['GET', 'PATCH'], 'POST'],
        ['/v2/models/films/config', ['POST'], 'GET, HEAD'],
        ['/v2/health/ready', ['POST'], 'GET, HEAD'],
        ['/v2/repository/index', ['GET'], 'POST'],
        ['/metrics', ['POST'], 'GET, HEAD'],
        ['/openapi.json', ['DELETE'], 'GET, HEAD'],
        ['/readyz', ['POST'], 'GET, HEAD'],
      ];
      for (const [path, methods, allow] of ALLOWED) {
        for (const method of methods) {
          const response = await fetchUnpooled(url + path, { method });
          const text = await response.text();
          assert.deepEqual([response.status, response.headers.get('allow')], [405, allow], `${method} ${path} ${text}`);
          if (method === 'HEAD') continue;
          const { error } = JSON.parse(text) as { error: string };
          // OPTIONS has no route of TF Serving's, so the server refuses it before.
          if (path.startsWith('/v1/models') && method !== 'OPTIONS')
            assert.equal(error, `Malformed request: ${method} ${path}`);
          else assert.match(error, /^method: expected .* for \/.*, got [A-Z]+$/);
        }
      }
    });

    test('paths that nothing has are 404', async () => {
      for (const path of ['/nothing', '/v2/nothing', '/admin/', '/admin/models', '/v1x', '/healthz/x', '/']) {
        for (const method of ['GET', 'POST']) {
          const response = await fetchUnpooled(url + path, { method });
          assert.equal(response.status, 404, `${method} ${path}`);
          const { error } = (await response.json()) as { error: string };
          assert.equal(error, `path: expected one that /openapi.json lists, got ${method} ${path}`);
        }
      }
    });

    test('a URL whose percent-encoding is broken is refused in the form of its API', async () => {
      for (const path of [
        '/%zz',
        '/v1/models/%E0%A4%A',
        '/v2/models/%/infer',
        '/v1/models/a%ffb:predict',
        '/admin/models/%c3',
      ]) {
        for (const method of ['GET', 'POST']) {
          const [head, body] = (await raw(server.httpPort, `${method} ${path} HTTP/1.1`)).split('\r\n\r\n');
          assert.match(head!, /^HTTP\/1.1 400 /, `${method} ${path}`);
          const { error, code } = JSON.parse(body!) as { error: string; code?: string };
          assert.match(error, /^(url: expected percent-encoded UTF-8, got|Malformed request: )/);
          assert.equal(code, /^\/v[12]\//.test(path) ? undefined : 'INVALID_ARGUMENT');
        }
      }
    });

    test('probes', async () => {
      for (const path of ['/livez', '/readyz', '/healthz']) {
        const response = await fetchUnpooled(url + path);
        assert.deepEqual([response.status, await response.text()], [200, 'ok\n']);
      }
    });

    test('what is no JSON says what to send', async () => {
      const send = async (type: string | undefined, path = '/v1/shortlist'): Promise<[number, string]> => {
        const response = await fetchUnpooled(url + path, {
          method: 'POST',
          headers: type === undefined ? {} : { 'content-type': type },
          body: new Uint8Array(Buffer.from('{"query":"u1"}')),
        });
        return [response.status, JSON.parse(await response.text()).error];
      };
      for (const path of ['/v1/shortlist', '/v1/candidates/upsert', '/admin/models/films/compact']) {
        assert.deepEqual(await send('text/plain', path), [
          415,
          'content-type: expected application/json, got text/plain',
        ]);
        assert.deepEqual(await send('a/b', path), [415, 'content-type: expected application/json, got a/b']);
        assert.deepEqual(await send(undefined, path), [415, 'content-type: expected application/json, got none']);
      }
      const form = 'application/x-www-form-urlencoded';
      assert.deepEqual(await send(form), [415, `content-type: expected application/json, got ${form}`]);
    });

    test('an empty JSON body is no body', async () => {
      for (const headers of [{ 'content-type': 'application/json' }, {}] as Record<string, string>[]) {
        const response = await fetchUnpooled(`${url}/admin/models/films/compact`, { method: 'POST', headers });
        assert.equal(response.status, 200, await response.text());
      }
      assert.equal((await post(server, '/admin/models/films/compact', '{}')).status, 200);
      const { status, body } = await post(server, '/v1/shortlist', '');
      assert.equal(status, 400);
      assert.match((body as { error: string }).error, /body/);
    });
  });
}

test('without the required key every path but the probes is 401, and a key that may only read changes nothing', async () => {
  const server = await startTiny(await tinyBasePath(), { keys: KEYS, processes: 2 });
  const url = `http://127.0.0.1:${server.httpPort}`;
  const PATHS = [
    '/nothing',
    '/v2/nothing',
    '/admin/models/films',
    '/admin/models/nobody',
    '/admin/nothing',
    '/v1/models/nobody',
  ];
  PATHS.push(
    '/v2/models/nobody',
    '/v2/models/nobody/ready',
    '/v2/models/films/ready',
    '/v1/candidates/nothing',
    '/metrics',
  );
  const large = { body: Buffer.alloc(5 << 20, 'x'), headers: { 'content-type': 'a/b' } };
  for (const path of PATHS) {
    for (const method of ['GET', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'HEAD']) {
      for (let process = 0; process < 2; process++) {
        const body = method === 'POST' ? large : {};
        const { status } = await fetchUnpooled(url + path, { method, ...body }).catch(() => ({ status: 401 }));
        assert.equal(status, 401, `${method} ${path}`);
      }
    }
  }
  // By turns to each process.
  for (const path of ['/v1/candidates/delete', '/v2/repository/models/films/unload', '/v1/shortlist']) {
    for (let process = 0; process < 2; process++) {
      const { status } = await post(server, path, { ids: ['x'] }, { authorization: 'Bearer guessed' });
      assert.equal(status, 401, path);
      if (path === '/v1/shortlist') continue;
      assert.equal((await post(server, path, { ids: ['x'] }, { authorization: 'Bearer reads' })).status, 403, path);
      // One more, so that the other process has each of them, too.
      await fetchUnpooled(`${url}/livez`);
    }
  }
  const known = { headers: { 'x-api-key': 'reads' } };
  assert.equal((await fetchUnpooled(`${url}/nothing`, known)).status, 404);
  assert.equal((await fetchUnpooled(`${url}/v1/shortlist`, known)).status, 405);
  for (const path of ['/livez', '/readyz', '/healthz', '/v2/health/live', '/v2/health/ready']) {
    assert.equal((await fetchUnpooled(url + path)).status, 200, path);
  }
  await server.close();
});
