/** Calls between two processes, here between two ends in one. */
import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { test } from 'node:test';
import type { Call } from '../../src/replicas/calls.ts';
import { Channel } from '../../src/replicas/channel.ts';

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

  send(
    message: unknown,
    _handle: unknown,
    _options: { keepOpen: boolean },
    done: (error: Error | null) => void,
  ): boolean {
    const copy = structuredClone(message);
    setImmediate(() => {
      this.other!.emit('message', copy, undefined);
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

function pair(): [Channel<Sums, Nothing>, End] {
  const [near, far] = [new End(), new End()];
  near.other = far;
  far.other = near;
  new Channel<Nothing, Sums>(far, {
    add: (numbers) => numbers.reduce((sum, number) => sum + number, 0),
    fail: (why) => Promise.reject(new Error(why)),
    wait: () => new Promise(() => undefined),
  });
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
