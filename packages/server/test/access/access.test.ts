/** Access: keys and roles, rate limits, TLS and mutual TLS with renewal. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { copyFileSync, mkdtempSync, readFileSync, utimesSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TLSSocket } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { Client, credentials, Metadata, type ServiceError } from '@grpc/grpc-js';
import { ApiKeys } from '../../src/access/api-keys.ts';
import { watchTls } from '../../src/access/tls-files.ts';
import { serviceOf } from '../../src/grpc/definitions.ts';
import { until } from '../fixtures/occupied.ts';
import { post, startTiny, tinyBasePath } from '../fixtures/tiny-bundle.ts';

const sha256 = (key: string): string => createHash('sha256').update(key).digest('hex');
const KEYS = [
  { name: 'site', sha256: sha256('reads'), role: 'read' },
  { name: 'jobs', sha256: sha256('writes'), role: 'write' },
] as const;

test('keys and roles over HTTP and gRPC; probes need none', async () => {
  const server = await startTiny(await tinyBasePath(), { keys: KEYS, grpcPort: 0 });
  const statusOf = async (path: string, body: object, key?: string): Promise<number> =>
    (await post(server, path, body, key === undefined ? {} : { authorization: `Bearer ${key}` })).status;
  const predict = { instances: ['u1'] };
  assert.equal(await statusOf('/v1/models/films:predict', predict), 401);
  assert.equal(await statusOf('/v1/models/films:predict', predict, 'wrong'), 401);
  assert.equal(await statusOf('/v1/models/films:predict', predict, 'reads'), 200);
  assert.equal(await statusOf('/v1/shortlist', { query: 'u1' }), 401);
  assert.equal((await post(server, '/v1/shortlist', { query: 'u1' }, { 'x-api-key': 'reads' })).status, 200);
  assert.equal(await statusOf('/v2/models/films/infer', {}), 401);
  assert.equal(await statusOf('/v1/candidates/delete', { ids: ['x'] }, 'reads'), 403);
  assert.equal(await statusOf('/v1/candidates/delete', { ids: ['x'] }, 'writes'), 200);
  assert.equal(await statusOf('/v2/repository/models/films/unload', {}, 'reads'), 403);
  assert.equal(await statusOf('/admin/models/films/compact', {}, 'reads'), 403);
  const url = `http://127.0.0.1:${server.httpPort}`;
  assert.equal((await fetch(`${url}/v2/health/ready`)).status, 200);
  assert.equal((await fetch(`${url}/metrics`)).status, 401);
  // A refused prediction counts as one of the model it names.
  assert.match(
    await server.metrics.registry.metrics(),
    /^:tensorflow:serving:request_count\{model_name="films",status="UNAUTHENTICATED"\} \d+$/m,
  );

  const client = new Client(`127.0.0.1:${server.grpcPort}`, credentials.createInsecure());
  const { path, requestSerialize, responseDeserialize } = serviceOf('shortlist.v1.CandidateService').Delete!;
  const remove = (key?: string): Promise<number> =>
    new Promise((resolve) => {
      const metadata = new Metadata();
      if (key !== undefined) metadata.set('authorization', `Bearer ${key}`);
      client.makeUnaryRequest(path, requestSerialize, responseDeserialize, { ids: [] }, metadata, (error) =>
        resolve((error as ServiceError | null)?.code ?? 0),
      );
    });
  assert.deepEqual([await remove(), await remove('reads'), await remove('writes')], [16, 7, 0]);
  client.close();
  await server.close();
});

test('keys that are no digests are refused at start', () => {
  assert.throws(() => new ApiKeys([{ name: 'x', sha256: 'plain text', role: 'read' }]), { code: 'ERR_OPTION' });
});

test('rate limits answer 429 with Retry-After', async () => {
  const server = await startTiny(await tinyBasePath(), { requestsPerSecond: 5 });
  // All at once, and many: as five a second they would take twenty seconds.
  const answers = await Promise.all(Array.from({ length: 100 }, () => post(server, '/v1/shortlist', { query: 'u1' })));
  const statuses = answers.map(({ status }) => status);
  for (const { status, headers, body } of answers) {
    if (status === 429) {
      assert.ok(headers.get('retry-after'));
      assert.equal((body as { code: string }).code, 'RESOURCE_EXHAUSTED');
    }
  }
  assert.ok(statuses.includes(200) && statuses.includes(429), String(statuses));
  await server.close();
});

const TLS = fileURLToPath(new URL('../../../test/fixtures/tls/', import.meta.url));
const pem = (name: string): Buffer => readFileSync(join(TLS, name));

/** Status and the name on the server's certificate; or the error's code. */
function secureGet(port: number, options: { cert?: Buffer; key?: Buffer }): Promise<[number, string] | string> {
  return new Promise((resolve) => {
    const call = request(
      { host: '127.0.0.1', port, path: '/v2/health/live', ca: pem('ca.pem'), agent: false, ...options },
      (response) => {
        const name = (response.socket as TLSSocket).getPeerCertificate().subject?.CN as string;
        response.resume();
        response.on('end', () => resolve([response.statusCode!, name]));
      },
    );
    call.on('error', (error) => resolve((error as { code?: string }).code ?? error.message));
    call.end();
  });
}

for (const processes of [1, 2]) {
  test(`mutual TLS: without a certificate nobody comes in, ${processes} at once`, async () => {
    const tls = { cert: join(TLS, 'server.pem'), key: join(TLS, 'server.key'), ca: join(TLS, 'ca.pem') };
    const server = await startTiny(await tinyBasePath(), { tls, grpcPort: 0, processes });
    const mine = { cert: pem('client.pem'), key: pem('client.key') };
    for (let i = 0; i < 2 * processes; i++) {
      assert.deepEqual(await secureGet(server.httpPort, mine), [200, 'server']);
      assert.equal(typeof (await secureGet(server.httpPort, {})), 'string');
      // By turns: each process has both.
      if (i % 2 === 0) await secureGet(server.httpPort, {});
    }
    const { path, requestSerialize, responseDeserialize } = serviceOf('inference.GRPCInferenceService').ServerLive!;
    const live = (key: Buffer | null, cert: Buffer | null): Promise<number> =>
      new Promise((resolve) => {
        const client = new Client(`127.0.0.1:${server.grpcPort}`, credentials.createSsl(pem('ca.pem'), key, cert));
        const deadline = Date.now() + 60_000;
        client.makeUnaryRequest(
          path,
          requestSerialize,
          responseDeserialize,
          {},
          new Metadata(),
          { deadline },
          (error) => {
            client.close();
            resolve((error as ServiceError | null)?.code ?? 0);
          },
        );
      });
    assert.equal(await live(mine.key, mine.cert), 0);
    assert.equal(await live(null, null), 14);
    await server.close();
  });
}

test('certificates that change are read again; a bad pair leaves the old one', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'shortlist-tls-'));
  const files = { cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem') };
  copyFileSync(join(TLS, 'server.pem'), files.cert);
  copyFileSync(join(TLS, 'server.key'), files.key);
  // Of long ago: a file system may give what is written within some milliseconds one and the same time.
  for (const path of Object.values(files)) utimesSync(path, 1, 1);
  const reloaded: string[] = [];
  let failures = 0;
  const stop = watchTls(
    files,
    5,
    ({ cert }) => reloaded.push(cert.toString()),
    () => failures++,
  );
  copyFileSync(join(TLS, 'renewed.pem'), files.cert);
  copyFileSync(join(TLS, 'renewed.key'), files.key);
  await until(() => reloaded.length + failures > 0);
  stop();
  assert.equal(reloaded.at(-1), pem('renewed.pem').toString());
  assert.equal(failures, 0);
});
