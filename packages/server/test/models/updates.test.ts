/** Updates of a model: they wait while the candidates are saved, and a large request lets queries in between. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Journal } from '../../src/journal/journal.ts';
import { Model } from '../../src/models/model.ts';
import { ServedVersion } from '../../src/models/served-version.ts';
import type { Update } from '../../src/servable/contract.ts';
import { TinyServable } from '../fixtures/tiny-servable.ts';

const ROOT = mkdtempSync(join(tmpdir(), 'shortlist-updates-'));
after(() => rmSync(ROOT, { recursive: true }));

const upsert = (identifier: string): Update => ({ kind: 'upsert', identifier, embedding: Float32Array.of(2, 0) });

async function servedModel(name: string): Promise<{ model: Model; servable: TinyServable; journal: Journal }> {
  const servable = new TinyServable();
  const journal = await Journal.open(join(ROOT, name), { everyMs: 10 }, () => undefined);
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
  const [answer] = await model.choose({}).ask([{ k: 1, embedding: Float32Array.of(1, 0) }]);
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
  const [large, next] = [model.update(ids.map(upsert)), model.update([{ kind: 'delete', identifier: 'n319' }])];
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
