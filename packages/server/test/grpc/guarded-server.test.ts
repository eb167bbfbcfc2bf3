/** A response that cannot be sent ends its call with INTERNAL and is logged; the server answers the next call. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import {
  Client,
  credentials,
  Metadata,
  type MethodDefinition,
  type requestCallback,
  ServerCredentials,
  type ServerDuplexStream,
  type ServiceError,
  type sendUnaryData,
} from '@grpc/grpc-js';
import { pino } from 'pino';
import { GuardedServer } from '../../src/grpc/guarded-server.ts';

const bytes = (value: Buffer): Buffer => value;
const method = (name: string, isStream: boolean): MethodDefinition<Buffer, Buffer> => ({
  path: `/test.Service/${name}`,
  requestStream: isStream,
  responseStream: isStream,
  requestSerialize: bytes,
  requestDeserialize: bytes,
  responseSerialize: (value) => {
    if (value.toString() === 'unserializable') throw new TypeError('this response cannot be serialized');
    return value;
  },
  responseDeserialize: bytes,
});

const lines: string[] = [];
const server = new GuardedServer({}, pino({}, { write: (line: string) => void lines.push(line) }));
server.addService(
  { Echo: method('Echo', false), Later: method('Later', false), Stream: method('Stream', true) },
  {
    Echo: ({ request }: { request: Buffer }, callback: sendUnaryData<Buffer>) => {
      if (request.toString() === 'throw') throw new Error('the handler failed');
      callback(null, request);
    },
    Later: ({ request }: { request: Buffer }, callback: sendUnaryData<Buffer>) => {
      // Half a character: grpc-js cannot write it into a header, and throws.
      if (request.toString() === 'status') void Promise.resolve().then(() => callback({ code: 3, details: '\ud800' }));
      else void Promise.resolve().then(() => callback(null, request));
    },
    Stream: (_call: ServerDuplexStream<Buffer, Buffer>) => {
      throw new Error('the stream failed');
    },
  },
);
const port = await new Promise<number>((resolve, reject) =>
  server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
    error ? reject(error) : resolve(bound),
  ),
);
const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
after(() => {
  client.close();
  server.forceShutdown();
});

const call = (name: string, request: string): Promise<ServiceError | string> =>
  new Promise((resolve) => {
    const answered: requestCallback<Buffer> = (error, answer) => resolve(error ?? answer!.toString());
    client.makeUnaryRequest(`/test.Service/${name}`, bytes, bytes, Buffer.from(request), new Metadata(), answered);
  });

for (const [name, request, cause] of [
  ['Echo', 'unserializable', 'this response cannot be serialized'],
  ['Later', 'unserializable', 'this response cannot be serialized'],
  ['Later', 'status', 'URI malformed'],
  ['Echo', 'throw', 'the handler failed'],
] as const) {
  test(`${name} of ${request}: INTERNAL, one line in the log, and the server goes on`, async () => {
    lines.length = 0;
    const refused = (await call(name, request)) as ServiceError;
    assert.equal(refused.code, 13);
    assert.equal(lines.length, 1);
    assert.match(lines[0]!, new RegExp(`${cause}.*/test.Service/${name}.*call failed`));
    assert.equal(await call('Echo', 'whole'), 'whole');
  });
}

test('a stream whose handler throws: INTERNAL, one line in the log, and the server goes on', async () => {
  lines.length = 0;
  const stream = client.makeBidiStreamRequest('/test.Service/Stream', bytes, bytes, new Metadata());
  const refused = await new Promise<ServiceError>((resolve) => stream.on('error', resolve).on('data', () => undefined));
  assert.equal(refused.code, 13);
  assert.equal(lines.length, 1);
  assert.match(lines[0]!, /the stream failed.*call failed/);
  assert.equal(await call('Echo', 'whole'), 'whole');
});
