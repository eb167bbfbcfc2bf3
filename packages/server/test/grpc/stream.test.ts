/** ModelStreamInfer: answers in the order of the requests, errors one by one, cancellation, back-pressure, a stop. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type ClientHttp2Stream, connect, type IncomingHttpHeaders } from 'node:http2';
import { buffer } from 'node:stream/consumers';
import { after, test } from 'node:test';
import { Client, type ClientDuplexStream, credentials, Metadata, type MethodDefinition, status } from '@grpc/grpc-js';
import { serviceOf } from '../../src/grpc/definitions.ts';
import { occupy, until } from '../fixtures/occupied.ts';
import { startTiny, tinyBasePath } from '../fixtures/tiny-bundle.ts';

const basePath = await tinyBasePath();
const server = await startTiny(basePath, { grpcPort: 0, limits: { bodyBytes: 50_000 } });
const client = new Client(`127.0.0.1:${server.grpcPort}`, credentials.createInsecure());
const opened: Stream[] = [];
after(async () => {
  // Those of a test that failed: nothing of them may outlive it.
  for (const stream of opened) stream.cancel();
  await server.close();
  client.close();
});
const { batcher, statistics, servable } = server.registry.choose('films', {});

interface StreamAnswer {
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

type Stream = ClientDuplexStream<object, StreamAnswer>;

function open({ on = client, headers = {} }: { on?: Client; headers?: Record<string, string> } = {}): Stream {
  const { path, requestSerialize, responseDeserialize } = serviceOf('inference.GRPCInferenceService').ModelStreamInfer!;
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(headers)) metadata.set(name, value);
  const stream = on.makeBidiStreamRequest(path, requestSerialize, responseDeserialize, metadata) as Stream;
  // The event `status` says the same.
  stream.on('error', () => undefined);
  opened.push(stream);
  return stream;
}

const requestOf = (id: string, user = 'u1', k = 2): object => ({
  model_name: 'films',
  id,
  parameters: { k: { int64_param: k } },
  inputs: [{ name: 'query', datatype: 'BYTES', shape: [1], contents: { bytes_contents: [Buffer.from(user)] } }],
});

function send(request: object, on = client): Promise<StreamAnswer['infer_response']> {
  const { path, requestSerialize, responseDeserialize } = serviceOf('inference.GRPCInferenceService').ModelInfer!;
  return new Promise((resolve, reject) => {
    on.makeUnaryRequest(path, requestSerialize, responseDeserialize, request, (error, answer) =>
      error ? reject(error) : resolve(answer),
    );
  });
}

/** Resolves when the server has read everything that was sent before on the same connection. */
function roundTrip(): Promise<unknown> {
  const { path, requestSerialize, responseDeserialize } = serviceOf('inference.GRPCInferenceService').ServerLive!;
  return new Promise((resolve) => client.makeUnaryRequest(path, requestSerialize, responseDeserialize, {}, resolve));
}

/** All answers of a stream and the status it ended with. */
async function rest(stream: Stream): Promise<{ answers: StreamAnswer[]; code: number; details: string }> {
  const answers: StreamAnswer[] = [];
  const ended = new Promise<{ code: number; details: string }>((resolve) => stream.on('status', resolve));
  stream.on('data', (answer: StreamAnswer) => answers.push(answer));
  const { code, details } = await ended;
  return { answers, code, details };
}

test('answers come in the order of the requests, each that of ModelInfer, and share scans', async () => {
  // While a query is under way the requests come together, on a busy machine too.
  const release = await occupy(servable, () => send(requestOf('first')));
  const stream = open();
  const executions = statistics.executions;
  const count = 120;
  for (let i = 0; i < count; i++) stream.write(requestOf(`r${i}`, `u${i % 10}`, 1 + (i % 5)));
  stream.end();
  const ended = rest(stream);
  await until(() => batcher.waiting === 64);
  await release();
  const { answers, code } = await ended;
  assert.equal(code, status.OK);
  assert.deepEqual(
    answers.map(({ infer_response: { id } }) => id),
    Array.from({ length: count }, (_, i) => `r${i}`),
  );
  assert.ok(statistics.executions - executions < count, 'requests of one stream share scans');
  for (const i of [0, 7, 119]) {
    const { parameters, ...response } = answers[i]!.infer_response;
    assert.deepEqual(parameters.triton_final_response!.bool_param, true);
    const { parameters: _, ...alone } = (await send(
      requestOf(`r${i}`, `u${i % 10}`, 1 + (i % 5)),
    )) as never as StreamAnswer['infer_response'];
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
    // Which inputs a model takes is what the signatures' tests say.
    answers.map(({ error_message, infer_response: { id, outputs } }) => [
      id,
      error_message.replace(/, expected query, .*/, ', expected query, …'),
      outputs.length,
    ]),
    [
      ['a', '', 2],
      ['b', 'Servable not found for request: Latest(nobody)', 0],
      ['c', 'k: expected an integer from 1 to 1000, got 0', 0],
      ['d', "unexpected inference inputs 'x' for model 'films', expected query, …", 0],
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
  garbage.on('error', () => undefined);
  garbage.write(Buffer.from([0x0a, 0xff]));
  assert.equal((await rest(garbage as never)).code, status.INTERNAL);
  assert.equal((await send(requestOf('b'))).id, 'b');
});

test('a cancelled stream’s requests are dropped, and their places are free', async () => {
  const release = await occupy(servable, () => send(requestOf('first')));
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
  const release = await occupy(servable, () => send(requestOf('first')));
  const stream = open();
  const ended = rest(stream);
  for (let i = 0; i < 200; i++) stream.write(requestOf(`r${i}`));
  stream.end();
  await until(() => batcher.waiting === 64);
  // Round trips on the same connection: had more been let in, it would wait by now.
  for (let i = 0; i < 5; i++) {
    await roundTrip();
  }
  assert.equal(batcher.waiting, 64);
  await release();
  assert.equal((await ended).answers.length, 200);
});

/** A message as gRPC frames it: not compressed, its length, its bytes. */
function framed(message: Buffer): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

/** The messages of a whole body. */
function messagesOf(body: Buffer): Buffer[] {
  const messages: Buffer[] = [];
  for (let begin = 5; begin <= body.length; ) {
    const end = begin + body.readUInt32BE(begin - 4);
    messages.push(body.subarray(begin, end));
    begin = end + 5;
  }
  return messages;
}

test('a client that does not read holds itself back, not others, and loses nothing', async (t) => {
  // Bare HTTP/2: the client of grpc-js takes in whatever comes, also what nobody reads, as fast as it happens to.
  const windowBytes = 65_535;
  const session = connect(`http://127.0.0.1:${server.grpcPort}`, { settings: { initialWindowSize: windowBytes } });
  t.after(() => session.destroy());
  const { ModelStreamInfer, ModelInfer } = serviceOf('inference.GRPCInferenceService') as Record<
    'ModelStreamInfer' | 'ModelInfer',
    MethodDefinition<object, object>
  >;
  const call = ({ path }: { path: string }): ClientHttp2Stream =>
    session.request({ ':method': 'POST', ':path': path, 'content-type': 'application/grpc', te: 'trailers' });

  const stream = call(ModelStreamInfer);
  const trailers = once(stream, 'trailers') as Promise<[IncomingHttpHeaders]>;
  // Results of 10 queries of 60 results; the queue has room for the queries of all requests that may be under way.
  const [count, queries] = [160, 10];
  const contents = { bytes_contents: new Array(queries).fill(Buffer.from('u1')) };
  const inputs = [{ name: 'query', datatype: 'BYTES', shape: [queries], contents }];
  const ids = Array.from({ length: count }, (_, i) => `r${i}`);
  const before = statistics.inferences;
  let others = 0;
  const made = (): number => (statistics.inferences - before - others) / queries;
  for (const id of ids) stream.write(framed(ModelStreamInfer.requestSerialize({ ...requestOf(id, 'u1', 60), inputs })));
  stream.end();
  await until(() => made() >= 64);
  // Others on the same connection; were more let in, it would be answered by the end of them.
  for (; others < 50; others++) {
    const other = call(ModelInfer);
    other.end(framed(ModelInfer.requestSerialize(requestOf('other'))));
    const [answer] = messagesOf(await buffer(other));
    assert.equal((ModelInfer.responseDeserialize(answer!) as StreamAnswer['infer_response']).id, 'other');
  }
  const madeUnread = made();

  const messages = messagesOf(await buffer(stream));
  assert.equal((await trailers)[0]['grpc-status'], String(status.OK));
  assert.deepEqual(
    messages.map((message) => {
      const { error_message, infer_response } = ModelStreamInfer.responseDeserialize(message) as StreamAnswer;
      return [error_message, infer_response.id, infer_response.outputs[0]!.shape];
    }),
    ids.map((id) => ['', id, [String(queries), '60']]),
  );
  // What the client's window and its stream take in without a reader, what the server's call holds (16), what is under
  // way (64): nothing of that is the machine's.
  const takenIn = Math.floor((windowBytes + stream.readableHighWaterMark) / messages[0]!.length);
  assert.ok(madeUnread <= takenIn + 16 + 64, `${madeUnread} answers of ${count} were made for nobody`);
});

test('a stop answers what a stream has under way and ends it with UNAVAILABLE', async (t) => {
  const stopped = await startTiny(basePath, { grpcPort: 0, drainMs: 60_000 });
  const own = new Client(`127.0.0.1:${stopped.grpcPort}`, credentials.createInsecure());
  t.after(() => own.close());
  const stream = open({ on: own });
  const ended = rest(stream);
  const idle = open({ on: own });
  const idleEnded = rest(idle);
  idle.write(requestOf('x'));
  await new Promise((resolve) => idle.once('data', resolve));
  const { batcher, servable } = stopped.registry.choose('films', {});
  const release = await occupy(servable, () => send(requestOf('first'), own));
  for (let i = 0; i < 5; i++) stream.write(requestOf(`r${i}`));
  await until(() => batcher.waiting === 5);
  const closed = stopped.close();
  await release();
  await closed;
  const { answers, code, details } = await ended;
  assert.equal(answers.length, 5);
  assert.deepEqual([code, details], [status.UNAVAILABLE, 'The server is stopping']);
  assert.equal((await idleEnded).code, status.UNAVAILABLE);
});

test('a stream needs the key that calls need', async (t) => {
  const sha256 = '2c70e12b7a0646f92279f427c7b38e7334d8e5389cff167a1dc30e73f826b683'; // "key"
  const guarded = await startTiny(basePath, { grpcPort: 0, keys: [{ name: 'site', sha256, role: 'read' }] });
  const own = new Client(`127.0.0.1:${guarded.grpcPort}`, credentials.createInsecure());
  t.after(async () => {
    own.close();
    await guarded.close();
  });
  const refused = open({ on: own });
  refused.write(requestOf('a'));
  assert.equal((await rest(refused)).code, status.UNAUTHENTICATED);
  const admitted = open({ on: own, headers: { 'x-api-key': 'key' } });
  admitted.write(requestOf('a'));
  admitted.end();
  const { answers, code } = await rest(admitted);
  assert.deepEqual([answers[0]!.error_message, code], ['', status.OK]);
});
