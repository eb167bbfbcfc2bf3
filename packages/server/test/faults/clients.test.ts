/** Clients that misbehave: trickles, floods, hang-ups, garbage; and a stop in the middle of it all. */
import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { mock, test } from 'node:test';
import { Client, credentials } from '@grpc/grpc-js';
import { Generator } from 'shortlist/random';
import { occupy, until } from '../fixtures/occupied.ts';
import { post, startTiny, tinyBasePath } from '../fixtures/tiny-bundle.ts';
import { isThorough } from '../thorough.ts';
import { fuzzGrpc, fuzzHttp } from './fuzz.ts';

/** Malformed requests of each protocol, of which there are nine kinds in HTTP and five in gRPC. */
const MALFORMED = isThorough ? 2000 : 200;

/** Send bytes over a bare socket; all that came back until it was closed. */
function raw(port: number, text: string): { socket: Socket; received: Promise<string> } {
  const socket = connect(port, '127.0.0.1', () => socket.write(text));
  const received = new Promise<string>((resolve) => {
    let all = '';
    socket.on('data', (chunk) => (all += chunk));
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(all));
  });
  return { socket, received };
}

for (const processes of [1, 2]) {
  const many = `${processes} process${processes === 1 ? '' : 'es'}`;
  test(`a request that trickles in is cut off, a body over the limit refused; others are answered meanwhile: ${many}`, async () => {
    const server = await startTiny(await tinyBasePath(), { limits: { arrivalMs: 1_000, bodyBytes: 1000 }, processes });
    const slow = [
      raw(server.httpPort, 'POST /v1/models/films:predict HTTP/1.1\r\nhost: x\r\n'),
      raw(server.httpPort, 'POST /v1/models/films:predict HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{"inst'),
    ];
    // A process that stands still for a second cuts off whole requests, too: the next one is answered.
    await until(async () => (await post(server, '/v1/shortlist', { query: 'u1' })).status === 200);
    const large = JSON.stringify({ instances: ['x'.repeat(2000)] });
    const paths = ['/v1/models/films:predict', '/v1/shortlist', '/v2/models/films/infer', '/v1/candidates/upsert'];
    // Each path twice: by turns to each process.
    for (const path of [...paths, paths[0]!, ...paths]) {
      assert.equal((await post(server, path, large)).status, 413, path);
    }
    for (const { received } of slow) assert.match(await received, /^(HTTP\/1\.1 408|$)/);
    await server.close();
  });
}

test('who hangs up is not searched for', async () => {
  const server = await startTiny(await tinyBasePath());
  const body = '{"instances": ["u1"]}';
  const head = `POST /v1/models/films:predict HTTP/1.1\r\nhost: x\r\ncontent-length: ${body.length}\r\n\r\n`;
  const { batcher, statistics, servable } = server.registry.choose('films', {});
  const release = await occupy(servable, () => post(server, '/v1/shortlist', { query: 'u1' }));
  const submit = mock.method(batcher, 'submit');
  const hangUp = raw(server.httpPort, head + body);
  await until(() => batcher.waiting === 1);
  hangUp.socket.destroy();
  await hangUp.received;
  const [, { signal } = {}] = submit.mock.calls[0]!.arguments;
  await until(() => signal!.aborted);
  await release();
  // The refusal is on its way to a socket that is gone.
  await until(() => statistics.failed > 0);
  assert.equal(batcher.waiting, 0);
  assert.equal(statistics.inferences, 1);
  assert.equal(statistics.failed, 1);
  await server.close();
});

test('a stop answers what is under way and takes nothing new', async () => {
  const server = await startTiny(await tinyBasePath(), { drainMs: 60_000 });
  const { batcher, servable } = server.registry.choose('films', {});
  const release = await occupy(servable, () => post(server, '/v1/shortlist', { query: 'u1' }));
  const underWay = Array.from({ length: 5 }, () => post(server, '/v1/shortlist', { query: 'u1' }));
  await until(() => batcher.waiting === 5);
  const closing = server.close();
  assert.equal(server.isReady, false);
  await release();
  for (const { status } of await Promise.all(underWay)) assert.equal(status, 200);
  await closing;
  await assert.rejects(post(server, '/v1/shortlist', { query: 'u1' }));
});

/** Time in which a request reaches the queue on a loaded machine. */
const LATE_MS = 400;

test('a deadline that passes in the queue is 504, a full queue 503 with Retry-After', async () => {
  const server = await startTiny(await tinyBasePath(), { queue: { queued: 2 } });
  const { batcher, servable } = server.registry.choose('films', {});
  const release = await occupy(servable, () => post(server, '/v1/shortlist', { query: 'u1' }));
  const late = post(server, '/v1/shortlist', { query: 'u1', timeoutMs: LATE_MS });
  const kept = post(server, '/v1/shortlist', { query: 'u1' });
  await until(() => batcher.waiting === 2);
  const cameBefore = performance.now();
  const { status, headers } = await post(server, '/v1/shortlist', { query: 'u1' });
  assert.equal(status, 503);
  assert.equal(headers.get('retry-after'), '1');
  await until(() => performance.now() > cameBefore + LATE_MS);
  await release();
  assert.equal((await late).status, 504);
  assert.equal((await kept).status, 200);
  await server.close();
});

test('garbage never crashes the server, and never is a 500', async () => {
  const server = await startTiny(await tinyBasePath());
  const statuses = await fuzzHttp(server, new Generator(5).fork('fuzz'), MALFORMED);
  assert.ok(![...statuses.keys()].some((status) => status >= 500), JSON.stringify([...statuses]));
  assert.equal((await post(server, '/v1/shortlist', { query: 'u1' })).status, 200);
  await server.close();
});

test('malformed messages over gRPC: none hangs, and the server goes on', async () => {
  const server = await startTiny(await tinyBasePath(), { grpcPort: 0 });
  const client = new Client(`127.0.0.1:${server.grpcPort}`, credentials.createInsecure());
  const codes = await fuzzGrpc(client, new Generator(6).fork('fuzz'), MALFORMED);
  // 4: nobody answered in time; 14: the connection was lost.
  assert.ok(!codes.has(4) && !codes.has(14), JSON.stringify([...codes]));
  assert.equal((await post(server, '/v1/shortlist', { query: 'u1' })).status, 200);
  client.close();
  await server.close();
});
