/** The properties of every request over HTTP: a body of any type, an id, and log lines about errors. */
import assert from 'node:assert/strict';
import { Writable } from 'node:stream';
import { test } from 'node:test';
import { pino } from 'pino';
import { ServingError } from '../../src/status/serving-error.ts';
import { startTiny, tinyBasePath } from '../fixtures/tiny-bundle.ts';

const lines: Record<string, unknown>[] = [];
const stream = new Writable({
  write(line, _encoding, done) {
    lines.push(JSON.parse(String(line)));
    done();
  },
});

test('bodies of any type, ids of all answers, and a line of each refusal that is ours', async (t) => {
  const server = await startTiny(await tinyBasePath(), { logger: pino({ level: 'info' }, stream) });
  t.after(() => server.close());
  const url = `http://127.0.0.1:${server.httpPort}`;
  const send = async (body: string | Uint8Array, type: string | undefined, path: string): Promise<[number, string]> => {
    const headers: [string, string][] = type === undefined ? [] : [['content-type', type]];
    const response = await fetch(url + path, { method: 'POST', headers, body: Buffer.from(body) });
    assert.match(response.headers.get('x-request-id')!, /^[0-9a-f]{12}-\d+$/);
    return [response.status, await response.text()];
  };
  const types = ['application/json', 'application/json; charset=utf-8', 'APPLICATION/JSON', 'application/octet-stream'];
  types.push('application/x-www-form-urlencoded', 'text/plain', 'text/csv;a=b', 'image/png');

  for (const [path, body] of [
    ['/v1/models/films:predict', '{"instances": ["u1", "ü"]}'],
    ['/v2/models/films/infer', '{"inputs":[{"name":"query","shape":[2],"datatype":"BYTES","data":["u1","ü"]}]}'],
  ] as const) {
    const expected = await send(body, undefined, path);
    assert.equal(expected[0], 200, expected[1]);
    for (const type of types) assert.deepEqual(await send(body, type, path), expected, type);
    assert.equal((await send(body, 'nonsense', path))[0], 415);
    assert.equal((await send('', 'application/json', path))[0], 400);
  }

  assert.ok(lines.some(({ msg }) => msg === 'listening'));
  lines.length = 0;
  const { servable } = server.registry.choose('films', {});
  servable.search = () => {
    throw new ServingError('UNAVAILABLE', 'not now');
  };
  assert.equal((await send('{"instances": ["u1"]}', 'application/json', '/v1/models/films:predict'))[0], 503);
  const { msg, level, method, status, tookMs, err } = lines[0] as {
    tookMs: number;
    err: { message: string };
  } & (typeof lines)[0];
  assert.deepEqual([msg, level, method, status, err.message], ['refused', 40, 'POST', 503, 'not now']);
  assert.ok(tookMs > 0 && tookMs < 60_000);
});
