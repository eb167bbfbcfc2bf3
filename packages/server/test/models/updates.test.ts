/** Updates of a model: they wait while the candidates are saved, and a large request lets queries in between. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { AttributeValues } from '../../src/attributes/values.ts';
import { Journal, type JournalFile } from '../../src/journal/journal.ts';
import { Model } from '../../src/models/model.ts';
import { ServedVersion } from '../../src/models/served-version.ts';
import type { Update } from '../../src/servable/contract.ts';
import { TinyServable } from '../fixtures/tiny-servable.ts';

const ROOT = mkdtempSync(join(tmpdir(), 'shortlist-updates-'));
after(() => rmSync(ROOT, { recursive: true }));

const upsert = (identifier: string, attributes?: AttributeValues): Update => ({
  kind: 'upsert',
  identifier,
  embedding: Float32Array.of(2, 0),
  attributes,
});

async function servedModel(
  name: string,
  options?: { openFile: (path: string) => Promise<JournalFile> },
): Promise<{ model: Model; servable: TinyServable; journal: Journal }> {
  const servable = new TinyServable();
  const journal = await Journal.open(join(ROOT, name), { everyMs: 10 }, () => undefined, options);
  const model = new Model({
    name,
    basePath: ROOT,
    list: async () => [{ version: 1, path: ROOT, fingerprint: '' }],
    load: async () => ({ servable, journal }),
    serve: (model, version) => new ServedVersion(model, version, servable, {}),
  });
  await model.reconcile();
  return { model, servable, journal };
}

test('updates wait while work holds them back, and queries do not', async () => {
  const { model, servable, journal } = await servedModel('held');
  let release = (): void => undefined;
  const saved: number[] = [];
  const save = (): Promise<void> =>
    model.withoutUpdates(async () => {
      saved.push(journal.sizeBytes);
      await new Promise<void>((resolve) => {
        release = resolve;
      });
      assert.equal(journal.sizeBytes, saved.at(-1), 'nothing came in meanwhile');
    });
  const first = save();
  await nextTurn();
  const update = model.update([upsert('e')]);
  const [answer] = await model.choose({}).search([{ k: 1, embedding: Float32Array.of(1, 0) }]);
  assert.deepEqual(answer!.identifiers, ['a']);
  assert.equal(servable.size, 4);
  // Another such work comes before the update can go on: it waits for that too.
  const second = save();
  release();
  await first;
  while (saved.length < 2) await nextTurn();
  assert.equal(servable.size, 4);
  release();
  await second;
  assert.equal(await update, 1);
  assert.equal(servable.size, 5);
  await model.unload();
});

test('a large request is applied a few candidates at a time, in order, with turns of the event loop between', async () => {
  const { model, servable } = await servedModel('large');
  const sizes = new Set<number>();
  let isOver = false;
  const look = (): void => {
    sizes.add(servable.size);
    if (!isOver) setImmediate(look);
  };
  look();
  const ids = Array.from({ length: 320 }, (_, i) => `n${i}`);
  const [large, next] = [
    model.update(ids.map((id) => upsert(id))),
    model.update([{ kind: 'delete', identifier: 'n319' }]),
  ];
  await Promise.all([large, next]);
  isOver = true;
  assert.equal(servable.size, 4 + 319, 'the later request was applied after the whole of the earlier');
  const seen = [...sizes];
  for (let i = 1; i < seen.length; i++) assert.ok(seen[i]! - seen[i - 1]! <= 16, seen.join());
  await model.unload();
});

test('room is made once for updates that find little, while later ones wait', async () => {
  const { model, servable } = await servedModel('crowded');
  servable.crowded = true;
  await Promise.all(['e', 'f', 'g'].map((identifier) => model.update([upsert(identifier)])));
  await model.update([upsert('h')]);
  assert.equal(servable.rooms, 1);
  assert.equal(servable.size, 8);
  await model.unload();
});

test('the kind of a new attribute is settled when an update is accepted, not when it is applied', async () => {
  const { model, servable, journal } = await servedModel('kinds');
  const refusal = (attribute: string, got: number): object => ({
    code: 'INVALID_ARGUMENT',
    message: `${attribute}: expected text, got ${got}`,
  });
  const empty = journal.sizeBytes;
  await assert.rejects(
    model.update([upsert('e', { x: 'one' }), upsert('f', { x: 1 })]),
    refusal('candidates[1].attributes.x', 1),
  );
  assert.equal(journal.sizeBytes, empty);
  assert.equal(servable.size, 4);

  // What was refused settled nothing, and what is under way does.
  const [number, text, more] = await Promise.allSettled([
    model.update([upsert('e', { x: 1, y: 'one' })]),
    model.update([upsert('f', { z: true, y: 1 })]),
    model.update([upsert('g', { x: 2, z: 'one' })]),
  ]);
  assert.deepEqual([number.status, text.status, more.status], ['fulfilled', 'rejected', 'fulfilled']);
  await assert.rejects(model.update([upsert('h', { y: 2 })]), refusal('candidates[0].attributes.y', 2));
  assert.deepEqual(
    servable.rows.slice(4).map(({ identifier }, i) => [identifier, servable.attributes.valuesOf(4 + i)]),
    [
      ['e', { x: 1, y: 'one' }],
      ['g', { x: 2, z: 'one' }],
    ],
  );
  await model.unload();
});

test('an update that could not be journaled settles nothing', async () => {
  let isFull = false;
  const openFile = async (path: string): Promise<JournalFile> => {
    const file = await open(path, 'wx+');
    const write = file.write.bind(file) as (...args: unknown[]) => Promise<{ bytesWritten: number }>;
    return Object.assign(file, {
      write: async (...args: unknown[]) => {
        if (isFull) throw Object.assign(new Error('no space'), { code: 'ENOSPC' });
        return write(...args);
      },
    }) as JournalFile;
  };
  const { model, servable } = await servedModel('full', { openFile });
  isFull = true;
  await assert.rejects(model.update([upsert('e', { x: 1 })]), { code: 'UNAVAILABLE' });
  isFull = false;
  await model.update([upsert('e', { x: 'one' })]);
  assert.deepEqual(servable.attributes.valuesOf(4), { x: 'one' });
  await model.unload();
});
