/** Calls between two processes; in this test both ends are in one process. */
import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { Socket } from 'node:net';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Channel } from '../../src/replicas/channel.ts';
import type { Call } from '../../src/replicas/protocol.ts';

interface Sums {
  add: Call<number[], number>;
  fail: Call<string, void>;
  wait: Call<undefined, void>;
}
type Nothing = Record<never, never>;

/** One end: what it sends the other receives, a turn later and as a copy. */
class End extends EventEmitter {
  connected = true;
  other: End | undefined;

  /** Handles are lost on the way, as where a process has no file descriptors left. */
  losesHandles = false;

  send(
    message: unknown,
    handle: unknown,
    _options: { keepOpen: boolean },
    done: (error: Error | null) => void,
  ): boolean {
    const copy = structuredClone(message);
    setImmediate(() => {
      if (!(handle && this.losesHandles)) this.other!.emit('message', copy, handle);
      done(null);
    });
    return true;
  }

  close(): void {
    for (const end of [this, this.other!]) {
      end.connected = false;
      end.emit('disconnect');
    }
  }
}

function pair(take: (socket: Socket) => void = () => undefined): [Channel<Sums, Nothing>, End] {
  const [near, far] = [new End(), new End()];
  near.other = far;
  far.other = near;
  new Channel<Nothing, Sums>(
    far,
    {
      add: (numbers) => numbers.reduce((sum, number) => sum + number, 0),
      fail: (why) => Promise.reject(new Error(why)),
      wait: () => new Promise(() => undefined),
    },
    take,
  );
  return [new Channel<Sums, Nothing>(near, {}), near];
}

test('calls are answered, each with its own answer', async () => {
  const [channel] = pair();
  assert.deepEqual(
    await Promise.all([channel.call('add', [1, 2]), channel.call('add', [Number.NaN]), channel.call('add', [])]),
    [3, Number.NaN, 0],
  );
});

test('what fails there is told here, and later calls go on', async () => {
  const [channel] = pair();
  await assert.rejects(channel.call('fail', 'no room'), { message: 'no room' });
  assert.equal(await channel.call('add', [4]), 4);
});

test('a process that is gone answers nobody: what waits is told so, and so is what comes', async () => {
  const [channel, end] = pair();
  const waiting = channel.call('wait', undefined);
  end.close();
  await assert.rejects(waiting, { message: 'the other process is gone' });
  await assert.rejects(channel.call('add', [1]), { message: 'the other process is gone' });
});

test('connections are handed over one at a time, and calls pass those that wait', async () => {
  const taken: Socket[] = [];
  const [channel] = pair((socket) => taken.push(socket));
  const sockets = Array.from({ length: 5 }, () => new Socket());
  for (const socket of sockets) channel.sendConnection(socket);
  assert.equal(channel.inTransit, 5);
  assert.equal(await channel.call('add', [1, 1]), 2);
  assert.ok(taken.length < 5, 'the call did not wait for the last');
  await channel.connectionsReceived();
  assert.deepEqual(taken, sockets);
  assert.ok(sockets.every(({ destroyed }) => destroyed));
  assert.equal(channel.inTransit, 0);
});

test('connections that do not arrive are ended, when time is up or the process is gone', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const [channel, end] = pair();
  end.losesHandles = true;
  const sockets = Array.from({ length: 3 }, () => new Socket());
  for (const socket of sockets) channel.sendConnection(socket);
  for (let turn = 0; turn < 5; turn++) await nextTurn();
  assert.ok(!sockets[0]!.destroyed);
  t.mock.timers.tick(2_000);
  assert.deepEqual(
    sockets.map(({ destroyed }) => destroyed),
    [true, false, false],
  );
  const received = channel.connectionsReceived();
  end.close();
  await received;
  assert.ok(sockets.every(({ destroyed }) => destroyed));
  const late = new Socket();
  channel.sendConnection(late);
  assert.ok(late.destroyed);
});
