/** 20,000 connections that clients cut, and 20,000 calls that they cancel: nothing of them stays in the server. */
import assert from 'node:assert/strict';
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { test } from 'node:test';
import { setImmediate as nextTurn, setTimeout as passed } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Client, credentials, Metadata } from '@grpc/grpc-js';
import { Generator } from 'shortlist/random';
import { serviceOf } from '../../src/grpc/definitions.ts';
import type { Held } from '../faults/measured-child.ts';
import { severableWay } from '../fixtures/severable-way.ts';
import { tinyBasePath } from '../fixtures/tiny-bundle.ts';

const CHILD = fileURLToPath(new URL('../faults/measured-child.js', import.meta.url));
/** Clients at a time. */
const AT_ONCE = 32;
const ROUNDS = 20_000;
/** Before the first measurement: caches and compiled code have their size after these. */
const WARM_UP = 4_000;
/** The server closes connections without a whole request after 2 s. */
const LATE_MS = 4_000;
const BODY = '{"query": "u1", "k": 20}';

async function inParallel(count: number, round: (i: number) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) await round(next++);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

/** Send a part of a request, or all of it, and cut the connection in one of several ways. */
async function cutConnection(port: number, generator: Generator): Promise<void> {
  const path = ['/v1/shortlist', '/v1/models/films:predict', '/v1/candidates/upsert'][
    Math.floor(generator.uniform() * 3)
  ];
  const head = `POST ${path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${BODY.length}\r\n\r\n`;
  const request = head + BODY;
  const isWhole = generator.uniform() < 0.5;
  const sent = isWhole ? request : request.slice(0, Math.floor(generator.uniform() * request.length));
  const way = Math.floor(generator.uniform() * 4);
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  const closed = once(socket, 'close');
  await once(socket, 'connect').catch(() => undefined);
  if (sent !== '') socket.write(sent);
  if (way === 0) socket.resetAndDestroy();
  else if (way === 1) socket.destroy();
  else {
    // Some are cut while the answer is written.
    if (isWhole && way === 2) await Promise.race([once(socket, 'data').catch(() => undefined), closed]);
    else await nextTurn();
    socket.end();
    socket.destroy();
  }
  await closed;
}

const service = serviceOf('inference.GRPCInferenceService');
const message = {
  model_name: 'films',
  inputs: [{ name: 'query', datatype: 'BYTES', shape: [1], contents: { bytes_contents: [Buffer.from('u1')] } }],
};

/** A client, and a function that cuts its connection with the calls that are under way. */
async function severableClient(to: number): Promise<{ client: Client; sever: () => void }> {
  const { port, sever } = await severableWay(to);
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
  return {
    client,
    sever: () => {
      sever();
      client.close();
    },
  };
}

/** Begin a call and cancel it, let its deadline pass, or cancel a stream. */
async function cancelCall(client: Client, generator: Generator): Promise<void> {
  const way = Math.floor(generator.uniform() * 4);
  if (way === 3) {
    const { path, requestSerialize, responseDeserialize } = service.ModelStreamInfer!;
    const stream = client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize);
    const ended = new Promise((resolve) => stream.on('status', resolve));
    stream.on('error', () => undefined).resume();
    for (let i = 0; i < 3; i++) stream.write(message);
    if (generator.uniform() < 0.5) await nextTurn();
    stream.cancel();
    await ended;
    return;
  }
  const { path, requestSerialize, responseDeserialize } = service.ModelInfer!;
  const options = way === 0 ? { deadline: Date.now() + 1 } : {};
  await new Promise<void>((resolve) => {
    const call = client.makeUnaryRequest(
      path,
      requestSerialize,
      responseDeserialize,
      message,
      new Metadata(),
      options,
      () => resolve(),
    );
    if (way === 1) call.cancel();
    if (way === 2) setImmediate(() => call.cancel());
  });
}

async function askHeld(child: ChildProcess): Promise<Held> {
  await passed(LATE_MS);
  child.send('held');
  const [held] = (await once(child, 'message')) as [Held];
  return held;
}

for (const [name, protocol] of [
  ['cut connections', 'http'],
  ['cancelled calls', 'grpc'],
] as const) {
  test(`${ROUNDS.toLocaleString('en')} ${name} leave nothing`, async (t) => {
    const child = fork(CHILD, [await tinyBasePath()]);
    const [{ httpPort, grpcPort }] = (await once(child, 'message')) as [{ httpPort: number; grpcPort: number }];
    const generator = new Generator(21).fork(protocol);
    let way = await severableClient(grpcPort);
    const round = async (i: number): Promise<void> => {
      if (protocol === 'http') return cutConnection(httpPort, generator);
      // Now and then the whole connection goes, with the calls of the others.
      if (i % 500 === 499) {
        const cut = way;
        way = await severableClient(grpcPort);
        cut.sever();
      }
      return cancelCall(way.client, generator);
    };
    const heldAfter = async (count: number): Promise<Held> => {
      await inParallel(count, round);
      way.sever();
      const held = await askHeld(child);
      way = await severableClient(grpcPort);
      return held;
    };
    const before = await heldAfter(WARM_UP);
    const after = await heldAfter(ROUNDS);
    way.sever();
    child.disconnect();
    t.diagnostic(`${JSON.stringify(before)} → ${JSON.stringify(after)}`);
    const { liveBytes: bytesBefore, descriptors: openBefore, ...countsBefore } = before;
    const { liveBytes: bytesAfter, descriptors: openAfter, ...countsAfter } = after;
    assert.deepEqual(countsAfter, countsBefore);
    // A worker thread, which starts when it is first needed, has some of its own.
    assert.ok(openAfter <= openBefore + 16, `${openAfter} descriptors are open, of ${openBefore} before`);
    assert.deepEqual([after.waiting, after.leases], [0, 0]);
    const grown = bytesAfter / bytesBefore;
    assert.ok(grown < 1.1, `memory grew ${grown.toFixed(2)}-fold`);
  });
}
