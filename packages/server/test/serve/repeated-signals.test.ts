/**
 * A signal that arrives twice at once, as from `timeout`, stops a server once; a later one ends it. In its own process,
 * because it replaces `process.exit`.
 */
import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { closeOnSignals, type ShortlistServer } from '../../src/index.ts';
import { until } from '../fixtures/occupied.ts';
import { startTiny, tinyBasePath } from '../fixtures/tiny-bundle.ts';

test('the same signal at once is one signal; a later signal does not wait for the end', async () => {
  const server: ShortlistServer = await startTiny(await tinyBasePath());
  let finish = (): void => undefined;
  const close = mock.method(server, 'close', () => new Promise<void>((resolve) => (finish = resolve)));
  const codes: unknown[] = [];
  const exit = mock.method(process, 'exit', (code: unknown) => void codes.push(code));
  const now = mock.method(performance, 'now', () => 1_000);
  const uninstall = closeOnSignals(server);
  try {
    process.emit('SIGTERM', 'SIGTERM');
    process.emit('SIGTERM', 'SIGTERM');
    process.emit('SIGINT', 'SIGINT');
    assert.deepEqual(codes, []);
    now.mock.mockImplementation(() => 5_000);
    process.emit('SIGTERM', 'SIGTERM');
    assert.deepEqual(codes, [1]);
    now.mock.restore();
    finish();
    await until(() => codes.length === 2);
    assert.deepEqual(codes, [1, 0]);
    assert.equal(close.mock.callCount(), 1);
  } finally {
    uninstall();
    for (const replaced of [close, exit, now]) replaced.mock.restore();
  }
  await server.close({ lameDuckMs: 0 });
});
