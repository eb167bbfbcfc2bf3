/** Clients that misbehave over gRPC: messages that are too large, hang-ups, deadlines. Places in the queue come back. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { Client, type ClientOptions, compressionAlgorithms, credentials, Metadata, status } from '@grpc/grpc-js';
import { serviceOf } from '../../src/grpc/definitions.ts';
import { occupy, until } from '../fixtures/occupied.ts';
import { severableWay } from '../fixtures/severable-way.ts';
import { startTiny, tinyBasePath } from '../fixtures/tiny-bundle.ts';

const server = await startTiny(await tinyBasePath(), {
  grpcPort: 0,
  limits: { bodyBytes: 10_000 },
  queue: { queued: 4 },
});
after(() => server.close());
const { batcher, statistics, servable } = server.registry.choose('films', {});

const newClient = (options: ClientOptions = {}, port = server.grpcPort): Client =>
  new Client(`127.0.0.1:${port}`, credentials.createInsecure(), options);

interface Call {
  /** The status it ended with. */
  code: Promise<number>;
  cancel: () => void;
}

function infer(client: Client, text: string, deadline?: number): Call {
  const { path, requestSerialize, responseDeserialize } = serviceOf('inference.GRPCInferenceService').ModelInfer!;
  const contents = { bytes_contents: [Buffer.from(text)] };
  const message = {
    model_name: 'films',
    inputs: [{ name: 'query', datatype: 'BYTES', shape: [1], contents }],
  };
  let cancel = (): void => undefined;
  const code = new Promise<number>((resolve) => {
    const options = deadline === undefined ? {} : { deadline };
    const call = client.makeUnaryRequest(
      path,
      requestSerialize,
      responseDeserialize,
      message,
      new Metadata(),
      options,
      (error) => resolve(error?.code ?? status.OK),
    );
    cancel = () => call.cancel();
  });
  return { code, cancel };
}

function live(client: Client): Promise<void> {
  const { path, requestSerialize, responseDeserialize } = serviceOf('inference.GRPCInferenceService').ServerLive!;
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(path, requestSerialize, responseDeserialize, {}, (error) =>
      error ? reject(error) : resolve(),
    );
  });
}

test('a message over the limit is RESOURCE_EXHAUSTED, compressed or not; the connection goes on', async () => {
  const gzip = { 'grpc.default_compression_algorithm': compressionAlgorithms.gzip };
  for (const options of [{}, gzip]) {
    const client = newClient(options);
    const before = statistics.inferences;
    // Ten thousand times its compressed size: the limit is on what it becomes.
    assert.equal(await infer(client, 'x'.repeat(1 << 20)).code, status.RESOURCE_EXHAUSTED);
    assert.equal(await infer(client, 'x'.repeat(20_000)).code, status.RESOURCE_EXHAUSTED);
    assert.equal(statistics.inferences, before);
    assert.equal(batcher.waiting, 0);
    assert.equal(await infer(client, 'u1').code, status.OK);
    client.close();
  }
});

test('who cancels is not searched for, and the place is free', async () => {
  const other = newClient();
  const client = newClient();
  // More rounds than there are places: a place that leaked would be missed.
  for (let round = 0; round < 5; round++) {
    const release = await occupy(servable, () => infer(other, 'u1').code);
    const before = { ...statistics };
    const calls = Array.from({ length: 4 }, () => infer(client, 'u1'));
    await until(() => batcher.waiting === 4);
    for (const { cancel } of calls) cancel();
    for (const { code } of calls) assert.equal(await code, status.CANCELLED);
    // Answered on the same connection behind the cancellations: the server has read them.
    await live(client);
    await release();
    await until(() => statistics.failed === before.failed + 4);
    assert.equal(batcher.waiting, 0);
    assert.equal(statistics.inferences, before.inferences + 1);
  }
  client.close();
  other.close();
});

test('a connection that breaks takes its places with it; others go on', async () => {
  const other = newClient();
  for (let round = 0; round < 3; round++) {
    const release = await occupy(servable, () => infer(other, 'u1').code);
    const { leases } = server.registry.choose('films', {});
    const { port, sever } = await severableWay(server.grpcPort);
    const client = newClient({}, port);
    const calls = Array.from({ length: 4 }, () => infer(client, 'u1'));
    await until(() => batcher.waiting === 4);
    sever();
    for (const { code } of calls) assert.equal(await code, status.UNAVAILABLE);
    await release();
    await until(() => batcher.waiting === 0 && server.registry.choose('films', {}).leases === leases - 1);
    client.close();
    assert.equal(await infer(other, 'u1').code, status.OK);
  }
  other.close();
});

test('a full queue is UNAVAILABLE, a deadline that passes in it DEADLINE_EXCEEDED; others are answered', async () => {
  const client = newClient();
  let late: Call;
  let release: () => Promise<void>;
  // Twice the time where the deadline passed before the server had the call.
  for (let ms = 300; ; ms *= 2) {
    release = await occupy(servable, () => infer(client, 'u1').code);
    late = infer(client, 'u1', Date.now() + ms);
    let isOver = false;
    void late.code.then(() => {
      isOver = true;
    });
    await until(() => batcher.waiting === 1 || isOver);
    await live(client);
    if (batcher.waiting === 1) break;
    await release();
  }
  const kept = Array.from({ length: 3 }, () => infer(client, 'u1'));
  await until(() => batcher.waiting === 4);
  assert.equal(await infer(client, 'u1').code, status.UNAVAILABLE);
  assert.equal(await late.code, status.DEADLINE_EXCEEDED);
  await release();
  for (const { code } of kept) assert.equal(await code, status.OK);
  assert.equal(batcher.waiting, 0);
  client.close();
});
