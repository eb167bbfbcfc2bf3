/**
 * A gRPC client that does not answer pings is disconnected; one that does stays connected.
 *
 * Own process: clients must answer pings within a tenth of a second.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect as connectHttp2 } from 'node:http2';
import { connect, type Socket } from 'node:net';
import { after, test } from 'node:test';
import { until } from '../fixtures/occupied.ts';
import { startTiny, tinyBasePath } from '../fixtures/tiny-bundle.ts';

/** The preface of HTTP/2, then an empty SETTINGS frame and, as a second, its acknowledgement. */
const HELLO = Buffer.concat([
  Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
  Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]),
  Buffer.from([0, 0, 0, 4, 1, 0, 0, 0, 0]),
]);

const server = await startTiny(await tinyBasePath(), { grpcPort: 0, limits: { pingMs: 50, arrivalMs: 100 } });
after(() => server.close());

for (const [name, hello] of [
  ['that sends nothing', ''],
  ['that vanishes after its first frames', HELLO],
] as const) {
  test(`a client ${name} loses its connection`, async () => {
    // It stays open on this side, like that of a machine that has lost its network.
    const vanished: Socket = connect({ port: server.grpcPort, host: '127.0.0.1', allowHalfOpen: true });
    await once(vanished, 'connect');
    vanished.write(hello);
    vanished.resume();
    let isRefused = false;
    vanished.on('error', () => {
      isRefused = true;
    });
    await once(vanished, 'end');
    // A socket that the server has closed, and not only ended, refuses what is still sent to it.
    await until(() => {
      if (!isRefused) vanished.write('x');
      return isRefused;
    });
    vanished.destroy();
  });
}

test('a client that answers pings stays connected without a call', async () => {
  const session = connectHttp2(`http://127.0.0.1:${server.grpcPort}`);
  let pings = 0;
  session.on('ping', () => pings++);
  await until(() => pings >= 4);
  assert.equal(session.destroyed, false);
  session.destroy();
});
