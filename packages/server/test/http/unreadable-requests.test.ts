/** Bytes that are no HTTP/1.1 request: each is answered with one line that names what this port expects. */
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { Writable } from 'node:stream';
import { after, test } from 'node:test';
import { pino } from 'pino';
import { startTiny, tinyBasePath } from '../fixtures/tiny-bundle.ts';

let log = '';
const lines = new Writable({
  write(chunk, _encoding, done) {
    log += chunk;
    done();
  },
});
const server = await startTiny(await tinyBasePath(), { logger: pino(lines) });
after(() => server.close());

function answerTo(bytes: Uint8Array): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    const socket = connect(server.httpPort, '127.0.0.1', () => socket.write(bytes));
    socket.setEncoding('utf8').on('data', (piece: string) => {
      text += piece;
    });
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(text));
  });
}

const TLS = Uint8Array.from([0x16, 3, 1, 0, 5, 1, 0, 0, 1, 0]);
const REFUSED: readonly [string, Uint8Array, number, RegExp][] = [
  ['TLS', TLS, 400, /^request: expected HTTP without TLS on this port, got a TLS handshake/],
  [
    'HTTP/2',
    Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
    400,
    /^request: expected HTTP\/1\.1 on this port, got HTTP\/2; gRPC/,
  ],
  ['garbage', Buffer.from('garbage\r\n\r\n'), 400, /^request: expected HTTP\/1\.1, got other bytes \(.+\)$/],
  [
    'length',
    Buffer.from('POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1x\r\n\r\n'),
    400,
    /^request: expected HTTP\/1\.1, got other/,
  ],
  [
    'headers',
    Buffer.from(`GET / HTTP/1.1\r\nhost: x\r\nx: ${'y'.repeat(20_000)}`),
    431,
    /^headers: expected at most 16 KiB, got more$/,
  ],
];

for (const [name, bytes, status, expected] of REFUSED) {
  test(`${name}: one line that says what is expected`, async () => {
    const [head, body] = (await answerTo(bytes)).split('\r\n\r\n');
    assert.match(head!, new RegExp(`^HTTP/1\\.1 ${status} `));
    const { error, code } = JSON.parse(body!) as { error: string; code: string };
    assert.match(error, expected);
    assert.equal(code, 'INVALID_ARGUMENT');
  });
}

test('clients of another protocol are logged once for each kind', async () => {
  await answerTo(TLS);
  assert.equal(log.split('got a TLS handshake').length, 2);
  assert.equal(log.split('got HTTP/2').length, 2);
  assert.doesNotMatch(log, /other bytes/);
});
