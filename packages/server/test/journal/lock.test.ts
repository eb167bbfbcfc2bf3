/** The lock of a journal: one owner, given back, taken over when stale, and noticed when it was. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Journal } from '../../src/journal/journal.ts';
import { JournalLock, JournalLocks, LOCK_NAME } from '../../src/journal/lock.ts';
import { thisProcess } from '../../src/journal/process-identity.ts';

const freshFolder = (): string => mkdtempSync(join(tmpdir(), 'shortlist-lock-'));

/** A clock that a test sets. */
class SetClock {
  ms = 1_000_000;
  readonly monotonic = (): number => this.ms;
  readonly now = (): number => this.ms;
}

/** The lock of a process elsewhere, last touched at a time. */
function writeLock(folder: string, changes: object, touchedMs: number): void {
  const path = join(folder, LOCK_NAME);
  const owner = { owner: 'x', ...thisProcess(), since: '2026-01-01T00:00:00.000Z', ...changes };
  writeFileSync(path, `${JSON.stringify(owner)}\n`);
  utimesSync(path, touchedMs / 1000, touchedMs / 1000);
}

test('one has it until it is given back', async () => {
  const folder = freshFolder();
  const [first, second] = [new JournalLocks(), new JournalLocks()];
  const lock = await first.take(folder);
  assert.ok(lock instanceof JournalLock);
  const refused = await second.take(folder);
  assert.ok('holder' in refused && refused.holder?.pid === process.pid);
  assert.equal(await second.isHeld(folder), true);
  await lock.release();
  await lock.release();
  assert.equal(existsSync(join(folder, LOCK_NAME)), false);
  const taken = await second.take(folder);
  assert.ok(taken instanceof JournalLock);
  await taken.release();
});

test('it appears with its owner in it, so that a process killed while it takes one leaves none without', async () => {
  const folder = freshFolder();
  const path = join(folder, LOCK_NAME);
  let looks = 0;
  let isOver = false;
  const look = (): void => {
    let text: string | undefined;
    try {
      text = readFileSync(path, 'utf8');
    } catch {
      // Not there now.
    }
    if (text !== undefined) {
      assert.match(text, /"pid":\d+/);
      looks++;
    }
    if (!isOver) setImmediate(look);
  };
  look();
  for (let i = 0; i < 50; i++) {
    const lock = await new JournalLocks().take(folder);
    assert.ok(lock instanceof JournalLock);
    await lock.release();
  }
  isOver = true;
  assert.ok(looks > 0);
  assert.deepEqual(readdirSync(folder), []);
});

test('of a process that has ended, and of one whose number was given again, it is taken over at once and said', async () => {
  const { pid: dead } = spawnSync(process.execPath, ['-e', '']);
  for (const changes of [{ pid: dead }, { started: '1' }]) {
    const folder = freshFolder();
    writeLock(folder, changes, Date.now());
    const said: unknown[] = [];
    const locks = new JournalLocks({ onTakeOver: (...words) => said.push(words) });
    const lock = await locks.take(folder);
    if (thisProcess().machine === '') return;
    assert.ok(lock instanceof JournalLock);
    assert.equal(said.length, 1);
    assert.match(JSON.stringify(said), /its process has ended/);
    await lock.release();
  }
});

test('of another host, or unreadable, it is taken over when its time has not moved for fifteen seconds', async () => {
  for (const changes of [{ host: 'elsewhere' }, { machine: 'another container' }, undefined]) {
    const folder = freshFolder();
    const clock = new SetClock();
    const touch = (): void => {
      if (changes) writeLock(folder, changes, clock.ms);
      else writeFileSync(join(folder, LOCK_NAME), '');
    };
    touch();
    const locks = new JournalLocks({ clock });
    const isTaken = async (): Promise<boolean> => {
      const lock = await locks.take(folder);
      if (lock instanceof JournalLock) await lock.release();
      return lock instanceof JournalLock;
    };
    assert.equal(await isTaken(), false);
    clock.ms += 14_000;
    assert.equal(await isTaken(), false);
    if (changes) {
      // A sign of life: the wait begins again.
      touch();
      clock.ms += 14_000;
      assert.equal(await isTaken(), false);
      clock.ms += 14_000;
      assert.equal(await isTaken(), false);
    }
    clock.ms += 16_000;
    assert.equal(await isTaken(), true);
  }
  const folder = freshFolder();
  writeLock(folder, { host: 'elsewhere' }, Date.now() - 3_600_000);
  const lock = await new JournalLocks().take(folder);
  assert.ok(lock instanceof JournalLock, 'an hour old: nobody waits');
  await lock.release();
});

test('an owner that was held up while another took over appends no more, and leaves the other’s lock', async () => {
  const folder = freshFolder();
  const clock = new SetClock();
  const lock = await new JournalLocks({ clock }).take(folder);
  assert.ok(lock instanceof JournalLock);
  const path = join(folder, 'updates.journal');
  const journal = await Journal.open(path, 'always', () => undefined, { lock });
  const append = (identifier: string): Promise<void> => journal.append([{ kind: 'delete', identifier }]);
  await append('a');
  rmSync(join(folder, LOCK_NAME));
  const other = await new JournalLocks().take(folder);
  assert.ok(other instanceof JournalLock);
  clock.ms += 60_000;
  const before = readFileSync(path);
  await assert.rejects(append('b'), { code: 'UNAVAILABLE', message: /another server has taken the journal over/ });
  await journal.close();
  assert.deepEqual(readFileSync(path), before);
  assert.ok(existsSync(join(folder, LOCK_NAME)));
  await other.release();
});
