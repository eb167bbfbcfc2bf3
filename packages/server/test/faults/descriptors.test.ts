/**
 * A process with few file descriptors and twice as many clients: it says once that it drops connections, and serves
 * again.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { fetchUnpooled } from '../fixtures/tiny-bundle.ts';

const CHILD = fileURLToPath(new URL('./descriptors-child.js', import.meta.url));
/** Fewer do not suffice to start: Node opens all modules of a program at once. */
const DESCRIPTORS = 256;
const CLIENTS = 2 * DESCRIPTORS;

test('connections dropped for want of descriptors are logged and counted, and those that were taken stay', {
  skip: process.platform === 'win32' && 'Windows has no such limit',
  timeout: 60_000,
}, async () => {
  // Node raises the soft limit to the hard one: both are set.
  const shell = ['-c', `ulimit -n ${DESCRIPTORS} && exec "$0" "$1"`, process.execPath, CHILD];
  const child = spawn('sh', shell, { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'exit');
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  const nextLine = async (): Promise<string> => (await lines.next()).value as string;
  const port = Number(await nextLine());
  assert.ok(port > 0);
  const counted = async (): Promise<number> => {
    const text = await (await fetchUnpooled(`http://127.0.0.1:${port}/metrics`)).text();
    return Number(/^shortlist_descriptor_shortages_total (\d+)$/m.exec(text)![1]);
  };
  assert.equal(await counted(), 0);

  let dropped = 0;
  const opened = Array.from({ length: CLIENTS }, (): Socket => {
    const socket = connect({ port, host: '127.0.0.1' });
    // A dropped connection ends or is reset, as it comes.
    socket.on('error', () => undefined).on('close', () => dropped++);
    return socket.resume();
  });
  const shortage = JSON.parse(await nextLine()) as { level: number; msg: string };
  assert.equal(shortage.level, 50);
  assert.match(shortage.msg, /^no file descriptor is left: connections are dropped; raise the limit/);
  while (dropped === 0) await new Promise((resolve) => setImmediate(resolve));

  // One that was taken is answered meanwhile.
  const taken = opened.find((socket) => !socket.destroyed && !socket.readableEnded)!;
  taken.write('GET /livez HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n');
  const [answer] = (await once(taken, 'data')) as [Buffer];
  assert.match(answer.toString(), /^HTTP\/1\.1 200/);
  assert.ok(dropped < CLIENTS, `${dropped} of ${CLIENTS}`);

  for (const socket of opened) socket.destroy();
  const recovery = JSON.parse(await nextLine()) as { level: number; msg: string };
  assert.deepEqual([recovery.level, recovery.msg], [40, 'file descriptors are free again']);
  assert.equal(await counted(), 1);
  child.kill('SIGTERM');
  assert.deepEqual(await ended, [0, null]);
});
