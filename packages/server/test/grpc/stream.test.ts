/** ModelStreamInfer: answers in the order of the requests, errors one by one, cancellation, back-pressure, a stop. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { Client, type ClientDuplexStream, credentials, Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { serviceOf } from '../../src/grpc/definitions.ts';
import { occupy, until } from '../fixtures/occupied.ts';
import { startTiny, tinyBasePath } from '../fixtures/tiny-bundle.ts';

const basePath = await tinyBasePath();
const server = await startTiny(basePath, { grpcPort: 0, limits: { bodyBytes: 50_000 } });
const client = new Client(`127.0.0.1:${server.grpcPort}`, credentials.createInsecure());
after(async () => {
  client.close();
  await server.close();
});
const { batcher, statistics, servable } = server.registry.choose('films', {});

interface Answer {
  error_message: string;
  infer_response: {
    id: string;
    model_name: string;
    model_version: string;
    parameters: Record<string, { bool_param: boolean }>;
    outputs: { name: string; shape: string[] }[];
    raw_output_contents: Buffer[];
  };
}

type Stream = ClientDuplexStream<object, Answer>;

function open({ on = client, headers = {} }: { on?: Client; headers?: Record<string, string> } = {}): Stream {
  const { path, requestSerialize, responseDeserialize } = serviceOf('inference.GRPCInferenceService').ModelStreamInfer!;
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(headers)) metadata.set(name, value);
  return on.makeBidiStreamRequest(path, requestSerialize, responseDeserialize, metadata) as Stream;
}

const requestOf = (id: string, user = 'u1', k = 2): object => ({
  model_name: 'films',
  id,
  parameters: { k: { int64_param: k } },
  inputs: [{ name: 'query', datatype: 'BYTES', shape: [1], contents: { bytes_contents: [Buffer.from(user)] } }],
});

function ask(request: object): Promise<Answer['infer_response']> {
  const { path, requestSerialize, responseDeserialize } = serviceOf('inference.GRPCInferenceService').ModelInfer!;
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(path, requestSerialize, responseDeserialize, request, (error, answer) =>
      error ? reject(error) : resolve(answer),
    );
  });
}

/** What was sent before on the same connection was read when this resolves. */
function roundTrip(): Promise<unknown> {
  const { path, requestSerialize, responseDeserialize } = serviceOf('inference.GRPCInferenceService').ServerLive!;
  return new Promise((resolve) => client.makeUnaryRequest(path, requestSerialize, responseDeserialize, {}, resolve));
}

/** All answers of a stream and the status it ended with. */
async function rest(stream: Stream): Promise<{ answers: Answer[]; code: number; details: string }> {
  const answers: Answer[] = [];
  const ended = new Promise<{ code: number; details: string }>((resolve) => stream.on('status', resolve));
  stream.on('data', (answer: Answer) => answers.push(answer));
  stream.on('error', (_error: ServiceError) => undefined);
  const { code, details } = await ended;
  return { answers, code, details };
}

test('answers come in the order of the requests, each that of ModelInfer, and share scans', async () => {
  const stream = open();
  const executions = statistics.executions;
  const count = 300;
  for (let i = 0; i < count; i++) stream.write(requestOf(`r${i}`, `u${i % 10}`, 1 + (i % 5)));
  stream.end();
  const { answers, code } = await rest(stream);
  assert.equal(code, status.OK);
  assert.deepEqual(
    answers.map(({ infer_response: { id } }) => id),
    Array.from({ length: count }, (_, i) => `r${i}`),
  );
  assert.ok(statistics.executions - executions < count, 'requests of one stream share scans');
  for (const i of [0, 7, 299]) {
    const { parameters, ...response } = answers[i]!.infer_response;
    assert.deepEqual(parameters.triton_final_response!.bool_param, true);
    const { parameters: _, ...alone } = (await ask(
      requestOf(`r${i}`, `u${i % 10}`, 1 + (i % 5)),
    )) as never as Answer['infer_response'];
    assert.deepEqual(response, alone);
  }
});

test('an error is a message of the stream with the id of its request; the others are answered', async () => {
  const stream = open();
  stream.write(requestOf('a'));
  stream.write({ ...requestOf('b'), model_name: 'nobody' });
  stream.write(requestOf('c', 'u1', 0));
  stream.write({ ...requestOf('d'), inputs: [{ name: 'x', datatype: 'BYTES', shape: [0] }] });
  stream.write(requestOf('e'));
  stream.end();
  const { answers, code } = await rest(stream);
  assert.equal(code, status.OK);
  assert.deepEqual(
    answers.map(({ error_message, infer_response: { id, outputs } }) => [id, error_message, outputs.length]),
    [
      ['a', '', 2],
      ['b', 'Servable not found for request: Latest(nobody)', 0],
      ['c', 'k: expected an integer from 1 to 1000, got 0', 0],
      [
        'd',
        "unexpected inference inputs 'x' for model 'films', expected query, or query + exclusions, or embedding",
        0,
      ],
      ['e', '', 2],
    ],
  );
});

test('with the header triton_grpc_error the first error ends the stream with its status', async () => {
  const stream = open({ headers: { triton_grpc_error: 'true' } });
  stream.write(requestOf('a'));
  stream.write({ ...requestOf('b'), model_name: 'nobody' });
  stream.write(requestOf('c'));
  const { answers, code, details } = await rest(stream);
  assert.deepEqual([code, details], [status.NOT_FOUND, 'Servable not found for request: Latest(nobody)']);
  assert.deepEqual(
    answers.map(({ infer_response }) => infer_response.id),
    ['a'],
  );
});

test('an empty stream ends well; a message over the limit, or none at all, ends its stream alone', async () => {
  const empty = open();
  empty.end();
  assert.deepEqual(await rest(empty), { answers: [], code: status.OK, details: 'OK' });
  const large = open();
  large.write(requestOf('a', 'x'.repeat(100_000)));
  assert.equal((await rest(large)).code, status.RESOURCE_EXHAUSTED);
  const bytes = (buffer: Buffer): Buffer => buffer;
  const garbage = client.makeBidiStreamRequest('/inference.GRPCInferenceService/ModelStreamInfer', bytes, bytes);
  garbage.write(Buffer.from([0x0a, 0xff]));
  assert.equal((await rest(garbage as never)).code, status.INTERNAL);
  assert.equal((await ask(requestOf('b'))).id, 'b');
});

test('a cancelled stream’s requests are dropped, and their places are free', async () => {
  const release = await occupy(servable, () => ask(requestOf('first')));
  const before = { ...statistics };
  const stream = open();
  const ended = rest(stream);
  for (let i = 0; i < 10; i++) stream.write(requestOf(`r${i}`));
  await until(() => batcher.waiting === 10);
  stream.cancel();
  assert.equal((await ended).code, status.CANCELLED);
  // Answered on the same connection behind the cancellation: the server has read it.
  await roundTrip();
  await release();
  await until(() => statistics.failed === before.failed + 10);
  assert.equal(batcher.waiting, 0);
  assert.equal(statistics.inferences, before.inferences + 1);
});

test('one stream has a bounded number of requests under way; the rest is read as answers leave', async () => {
  const release = await occupy(servable, () => ask(requestOf('first')));
  const stream = open();
  const ended = rest(stream);
  for (let i = 0; i < 500; i++) stream.write(requestOf(`r${i}`));
  stream.end();
  await until(() => batcher.waiting === 64);
  // Round trips on the same connection: had more been let in, it would wait by now.
  for (let i = 0; i < 5; i++) {
    await roundTrip();
  }
  assert.equal(batcher.waiting, 64);
  await release();
  assert.equal((await ended).answers.length, 500);
});

test('a client that does not read holds itself back, not others, and loses nothing', async () => {
  // Nothing reads before `rest` does.
  const stream = open();
  // 50 queries of 60 results: answers of some 50 kB, 25 MB in all; the sockets of two ends hold up to 10 or 12 MB.
  const [count, queries] = [500, 50];
  const contents = { bytes_contents: new Array(queries).fill(Buffer.from('u1')) };
  const inputs = [{ name: 'query', datatype: 'BYTES', shape: [queries], contents }];
  const before = statistics.inferences;
  for (let i = 0; i < count; i++) stream.write({ ...requestOf(`r${i}`, 'u1', 60), inputs });
  stream.end();
  // Until a look finds that nothing was answered since the one before but what others asked.
  let others = 0;
  let last = -1;
  for (let made = 0; made !== last; made = statistics.inferences - before - others) {
    last = made;
    for (let i = 0; i < 50; i++, others++) await ask(requestOf('other'));
  }
  assert.ok(last > 0 && last < count * queries, `${last} answers were made for nobody`);
  const { answers, code } = await rest(stream);
  assert.equal(code, status.OK);
  assert.deepEqual(
    answers.map(({ infer_response: { id } }) => id),
    Array.from({ length: count }, (_, i) => `r${i}`),
  );
});

test('a stop answers what a stream has under way and ends it with UNAVAILABLE', async () => {
  const stopped = await startTiny(basePath, { grpcPort: 0, drainMs: 60_000, queue: { waitMs: 100 } });
  const own = new Client(`127.0.0.1:${stopped.grpcPort}`, credentials.createInsecure());
  const stream = open({ on: own });
  const ended = rest(stream);
  const idle = open({ on: own });
  const idleEnded = rest(idle);
  idle.write(requestOf('x'));
  await new Promise((resolve) => idle.once('data', resolve));
  for (let i = 0; i < 5; i++) stream.write(requestOf(`r${i}`));
  const { batcher } = stopped.registry.choose('films', {});
  await until(() => batcher.waiting === 5);
  await stopped.close();
  const { answers, code, details } = await ended;
  assert.equal(answers.length, 5);
  assert.deepEqual([code, details], [status.UNAVAILABLE, 'The server is stopping']);
  assert.equal((await idleEnded).code, status.UNAVAILABLE);
  own.close();
});

test('a stream needs the key that calls need', async () => {
  const sha256 = '2c70e12b7a0646f92279f427c7b38e7334d8e5389cff167a1dc30e73f826b683'; // "key"
  const guarded = await startTiny(basePath, { grpcPort: 0, keys: [{ name: 'site', sha256, role: 'read' }] });
  const own = new Client(`127.0.0.1:${guarded.grpcPort}`, credentials.createInsecure());
  const refused = open({ on: own });
  refused.write(requestOf('a'));
  assert.equal((await rest(refused)).code, status.UNAUTHENTICATED);
  const admitted = open({ on: own, headers: { 'x-api-key': 'key' } });
  admitted.write(requestOf('a'));
  admitted.end();
  const { answers, code } = await rest(admitted);
  assert.deepEqual([answers[0]!.error_message, code], ['', status.OK]);
  own.close();
  await guarded.close();
});
