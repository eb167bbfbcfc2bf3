/**
 * A model whose versions other processes serve as well: the messages that they get, their order, and who waits for
 * them.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Journal } from '../../src/journal/journal.ts';
import { HEAD_BYTES } from '../../src/journal/record.ts';
import { readRequestsOf } from '../../src/journal/record-reader.ts';
import type { FollowedVersion, Follower, ShownVersions } from '../../src/models/followers.ts';
import { Model } from '../../src/models/model.ts';
import { ServedVersion } from '../../src/models/served-version.ts';
import type { Update } from '../../src/servable/contract.ts';
import { until } from '../fixtures/occupied.ts';
import { TinyServable } from '../fixtures/tiny-servable.ts';

const ROOT = mkdtempSync(join(tmpdir(), 'shortlist-followers-'));
after(() => rmSync(ROOT, { recursive: true }));

const upsert = (identifier: string): Update => ({ kind: 'upsert', identifier, embedding: Float32Array.of(2, 0) });

/** Writes down what it is told; a `gate` lets it answer later. */
class Told implements Follower {
  readonly told: string[] = [];
  readonly opened: FollowedVersion[] = [];
  gate: Promise<void> = Promise.resolve();
  refusal: Error | undefined;

  async open(_model: string, version: FollowedVersion): Promise<void> {
    this.told.push(`open ${version.version}`);
    this.opened.push(version);
    await this.gate;
    if (this.refusal) throw this.refusal;
  }

  drop(_model: string, version: number): void {
    this.told.push(`drop ${version}`);
  }

  async show(_model: string, { versions, labels }: ShownVersions): Promise<void> {
    this.told.push(`show ${versions.join()}${[...labels].map(([label, version]) => ` ${label}=${version}`).join('')}`);
    await this.gate;
  }

  async apply(_model: string, version: number, updates: readonly Update[]): Promise<void> {
    this.told.push(`apply ${version}: ${updates.map(({ identifier }) => identifier).join()}`);
    await this.gate;
  }
}

async function followedModel(name: string): Promise<{ model: Model; versions: number[]; journals: Journal[] }> {
  const versions = [1];
  const journals: Journal[] = [];
  const model = new Model({
    name,
    basePath: ROOT,
    list: async () => versions.map((version) => ({ version, path: String(version), foundAt: ROOT, fingerprint: '' })),
    load: async (path) => {
      const journal = await Journal.open(join(ROOT, `${name}-${path}`), { everyMs: 10 }, () => undefined);
      journals.push(journal);
      return { servable: new TinyServable(), journal };
    },
    serve: (model, version, { servable }) => new ServedVersion(model, version, servable, {}),
  });
  return { model, versions, journals };
}

test('a version is opened everywhere before it serves, and shown before the work that serves it ends', async () => {
  const { model, versions } = await followedModel('opened');
  const follower = new Told();
  model.followers.add(follower);
  await model.reconcile();
  assert.deepEqual(follower.told, ['open 1', 'open 1', 'show 1']);

  let open = (): void => undefined;
  follower.gate = new Promise((resolve) => {
    open = resolve;
  });
  versions.push(2);
  let isDone = false;
  const done = model.reconcile().then(() => {
    isDone = true;
  });
  await until(() => follower.told.includes('open 2'));
  for (let i = 0; i < 20; i++) await nextTurn();
  assert.equal(model.newest?.version, 1, 'it waits for the follower');
  assert.equal(isDone, false);
  open();
  await done;
  assert.deepEqual(follower.told.slice(3), ['open 2', 'show 2,1', 'show 2']);
  model.setLabel('stable', 2);
  await model.followers.shown();
  assert.equal(follower.told.at(-1), 'show 2 stable=2');
  await model.unload();
  assert.equal(follower.told.at(-1), 'show ');
});

test('a version that a follower cannot open serves nowhere, and says why', async () => {
  const { model, versions, journals } = await followedModel('refused');
  const follower = new Told();
  model.followers.add(follower);
  await model.reconcile();
  follower.refusal = new Error('no memory is left there');
  versions.push(2);
  await model.reconcile();
  assert.equal(model.newest?.version, 1);
  const [record] = model.records;
  assert.deepEqual([record!.version, record!.state, record!.errorMessage], [2, 'END', 'no memory is left there']);
  assert.equal(follower.told.at(-1), 'drop 2');
  await assert.rejects(journals[1]!.append([upsert('late')]), /journal could not be written/);
  await model.unload();
});

test('an update is acknowledged when every follower has it; they get updates in the order of the journal', async () => {
  const { model } = await followedModel('updated');
  const follower = new Told();
  model.followers.add(follower);
  await model.reconcile();
  follower.told.length = 0;
  let open = (): void => undefined;
  follower.gate = new Promise((resolve) => {
    open = resolve;
  });
  let acknowledged = 0;
  const updates = ['a', 'b', 'c'].map((id) => model.update([upsert(id)]).then(() => acknowledged++));
  await until(() => follower.told.length === 3);
  assert.deepEqual(follower.told, ['apply 1: a', 'apply 1: b', 'apply 1: c']);
  for (let i = 0; i < 20; i++) await nextTurn();
  assert.equal(acknowledged, 0);
  open();
  await Promise.all(updates);
  assert.equal(acknowledged, 3);
  await model.unload();
});

test('who comes later gets every update once: from the journal, or told', async () => {
  const { model, journals } = await followedModel('late');
  await model.reconcile();
  const follower = new Told();
  let next = 0;
  let isOver = false;
  const updating = (async () => {
    while (!isOver) {
      await model.update([upsert(`n${next}`)]);
      next++;
    }
  })();
  await until(() => next > 20);
  await model.admit(follower);
  const before = next;
  await until(() => next > before + 20);
  isOver = true;
  await updating;
  const last = follower.opened.at(-1)!;
  const read = (await readRequestsOf(journals[0]!.path, HEAD_BYTES, last.journalBytes)).flat();
  const told = follower.told.flatMap((line) => (line.startsWith('apply') ? [line.slice('apply 1: '.length)] : []));
  assert.deepEqual(
    [...read.map(({ update }) => update.identifier), ...told],
    Array.from({ length: next }, (_, i) => `n${i}`),
  );
  assert.ok(read.length >= 20 && told.length >= 20);
  model.followers.delete(follower);
  const count = follower.told.length;
  await model.update([upsert('after')]);
  assert.equal(follower.told.length, count);
  await model.unload();
});

test('a label that is given while a follower joins is shown there, too', async () => {
  const { model } = await followedModel('labelled');
  await model.reconcile();
  const follower = new Told();
  let open = (): void => undefined;
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  const show = follower.show.bind(follower);
  follower.show = (name, shown) => {
    follower.gate = gate;
    return show(name, shown);
  };
  const admitted = model.admit(follower);
  await until(() => follower.told.at(-1) === 'show 1');
  model.setLabel('stable', 1);
  assert.equal(follower.told.at(-1), 'show 1 stable=1');
  open();
  await admitted;
  await model.unload();
});
