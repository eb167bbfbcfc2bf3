/** A stop under load: every request that a server has received is answered, and silent connections do not hold it. */
import assert from 'node:assert/strict';
import { Agent, request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { until } from '../fixtures/occupied.ts';
import { startTiny, tinyBasePath } from '../fixtures/tiny-bundle.ts';

const CLIENTS = 16;
const BODY = JSON.stringify({ query: 'u1' });
const TLS = fileURLToPath(new URL('../../../test/fixtures/tls/', import.meta.url));

/** One request on the connection of an agent; its status, or the code of the error. */
function ask(port: number, agent: Agent): Promise<{ status: number | string; isLast: boolean }> {
  return new Promise((resolve) => {
    const headers = { 'content-type': 'application/json', 'content-length': BODY.length };
    const call = request({ port, agent, path: '/v1/shortlist', method: 'POST', headers }, (response) => {
      response.resume();
      response.on('end', () =>
        resolve({ status: response.statusCode!, isLast: response.headers.connection === 'close' }),
      );
      response.on('error', (error) => resolve({ status: (error as NodeJS.ErrnoException).code!, isLast: true }));
    });
    call.on('error', (error) => resolve({ status: (error as NodeJS.ErrnoException).code!, isLast: true }));
    call.end(BODY);
  });
}

for (const processes of [1, 2]) {
  test(`${CLIENTS} busy keep-alive clients lose nothing while ${processes} at once stop`, async () => {
    const server = await startTiny(await tinyBasePath(), { processes, lameDuckMs: 100, drainMs: 60_000 });
    let answered = 0;
    /** Asks on one connection until the server says that it was the last answer; what went wrong, if anything did. */
    const client = async (): Promise<number | string | undefined> => {
      const agent = new Agent({ keepAlive: true, maxSockets: 1 });
      try {
        for (;;) {
          const { status, isLast } = await ask(server.httpPort, agent);
          if (status !== 200) return status;
          answered++;
          if (isLast) return undefined;
        }
      } finally {
        agent.destroy();
      }
    };
    const clients = Array.from({ length: CLIENTS }, client);
    await until(() => answered > 10 * CLIENTS);
    const before = answered;
    const closing = server.close();
    assert.equal(server.isReady, false);
    assert.deepEqual(
      await Promise.all(clients),
      clients.map(() => undefined),
    );
    await closing;
    assert.ok(answered > before + CLIENTS, 'requests went on in the lame-duck time');
  });
}

test('connections that are on their way to another process when the server stops are answered', async () => {
  const server = await startTiny(await tinyBasePath(), { processes: 2, lameDuckMs: 0, drainMs: 60_000 });
  const head = `POST /v1/shortlist HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n`;
  const sockets = Array.from({ length: 2 * CLIENTS }, () =>
    connect(server.httpPort, '127.0.0.1').on('error', () => undefined),
  );
  const texts = sockets.map((socket) => {
    socket.write(`${head}content-length: ${BODY.length}\r\n\r\n${BODY}`);
    const text = received(socket);
    return new Promise<string>((resolve) => socket.once('close', () => resolve(text())));
  });
  // The kernel has them, but the server accepts one a turn of the event loop.
  await Promise.all(sockets.map((socket) => new Promise<void>((resolve) => socket.once('connect', () => resolve()))));
  await server.close();
  for (const text of await Promise.all(texts)) assert.match(text, /^HTTP\/1\.1 200 /);
});

test('in the lame-duck time the server is not ready and takes connections', async () => {
  const server = await startTiny(await tinyBasePath(), { lameDuckMs: 60_000, drainMs: 60_000 });
  const url = `http://127.0.0.1:${server.httpPort}`;
  const headers = { connection: 'close', 'content-type': 'application/json' };
  // What a first request costs the client is not counted.
  assert.equal((await fetch(`${url}/livez`, { headers })).status, 200);
  // Long enough for three requests on a loaded machine.
  void server.close({ lameDuckMs: 3_000 });
  assert.equal((await fetch(`${url}/readyz`, { headers })).status, 503);
  assert.equal((await fetch(`${url}/livez`, { headers })).status, 200);
  assert.equal((await fetch(`${url}/v1/shortlist`, { method: 'POST', body: BODY, headers })).status, 200);
  await server.close();
  await assert.rejects(fetch(`${url}/livez`));
});

/** The text that has come on a socket so far. */
function received(socket: Socket): () => string {
  let text = '';
  socket.setEncoding('utf8').on('data', (piece: string) => {
    text += piece;
  });
  return () => text;
}

for (const secure of [false, true]) {
  test(`a silent connection${secure ? ' with TLS' : ''} does not hold the end, one with half a request is waited for`, async () => {
    const tls = secure ? { tls: { cert: join(TLS, 'server.pem'), key: join(TLS, 'server.key') } } : {};
    const server = await startTiny(await tinyBasePath(), { ...tls, drainMs: 600_000, limits: { arrivalMs: 240_000 } });
    const open = async (): Promise<Socket> => {
      const socket = secure
        ? connectTls({ port: server.httpPort, host: '127.0.0.1', rejectUnauthorized: false })
        : connect(server.httpPort, '127.0.0.1');
      socket.on('error', () => undefined);
      await new Promise<void>((resolve) => socket.once(secure ? 'secureConnect' : 'connect', () => resolve()));
      return socket;
    };
    const silent = [await open(), await open()];
    if (secure) {
      // The handshake has not begun.
      const socket = connect(server.httpPort, '127.0.0.1').on('error', () => undefined);
      await new Promise<void>((resolve) => socket.once('connect', () => resolve()));
      silent.push(socket);
    }
    const slow = await open();
    const head = 'POST /v1/shortlist HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n';
    await new Promise((resolve) => slow.write(head, resolve));
    const textOf = received(slow);
    // The server has read it when a whole request that was sent later is answered.
    const whole = await open();
    const wholeText = received(whole);
    whole.write(`${head}connection: close\r\ncontent-length: ${BODY.length}\r\n\r\n${BODY}`);
    await until(() => wholeText().includes('results'));
    let isOver = false;
    const closing = server.close().then(() => {
      isOver = true;
    });
    // Far sooner than the minutes of the limits.
    for (const socket of silent) await until(() => socket.resume().destroyed || socket.readableEnded);
    assert.equal(isOver, false);
    slow.write(`content-length: ${BODY.length}\r\n\r\n${BODY}`);
    await until(() => textOf().includes('results'));
    assert.match(textOf(), /connection: close/i);
    await closing;
  });
}
