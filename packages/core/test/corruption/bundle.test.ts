/**
 * A forged bundle, its checksums right and its contents wrong, is one FormatError or a bundle that works: settings of
 * any value, sections missing, left over, too short or filled with noise. Damage that checksums see is in
 * container.test.ts.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bundleFromBytes, bundleToBytes } from '../../src/bundle/bundle.ts';
import { FormatError, ShortlistError } from '../../src/errors/errors.ts';
import { type LoadedSection, readContainer } from '../../src/format/reader.ts';
import type { Json, JsonObject } from '../../src/format/settings.ts';
import { bytesSource } from '../../src/format/source.ts';
import type { ContainerSection } from '../../src/format/writer.ts';
import { Runtime } from '../../src/parallel/runtime.ts';
import { Generator } from '../../src/random/generator.ts';
import { SeenItems } from '../../src/seen/seen-items.ts';
import { BruteForce } from '../../src/topk/brute-force/brute-force.ts';
import type { Identifier } from '../../src/topk/contract.ts';
import { deepTower, IDENTIFIERS, TITLES, vectors, world } from '../bundle/worlds.ts';
import { containerOf } from '../format/containers.ts';

/** Its own, so that what is left taken can be counted. */
const runtime = new Runtime({ threads: 1 });

/** What an index makes for itself beside its sections; the garbage collector gives it back. */
const TABLE_BYTES = 64;

const seenItems = SeenItems.empty<Identifier>({ userFeature: '', excludeSeen: false });
for (const user of ['7', 'toString', '__proto__']) seenItems.add(user, [...TITLES.slice(0, 30), user]);

/** One with identifiers in text, one with everything a tower can have, one with what users have seen. */
const GOOD: Uint8Array[] = [
  ...Object.values(IDENTIFIERS).map((identifiers) => bundleToBytes(world(runtime, { identifiers }))),
  bundleToBytes({
    index: new BruteForce({ queryModel: deepTower(runtime), runtime }).index(vectors(9, 5, 2, runtime)),
  }),
  bundleToBytes({ ...world(runtime), seenItems }),
];

/** With bytes of its own: those of the block are anybody's once the collector has given it back. */
function toSection({ name, kind, bytes, block }: LoadedSection): ContainerSection {
  const pieces = [bytes.slice()];
  block?.free();
  return { name, kind, pieces };
}
const sectionsOf = async (bytes: Uint8Array): Promise<ContainerSection[]> =>
  (await readContainer(bytesSource(bytes), runtime)).map(toSection);

/** Load; the one error, or a bundle that answers. Returns whether it was refused. */
async function refusedOrWorks(sections: ContainerSection[], what: string): Promise<boolean> {
  const used = runtime.heap.usedBytes;
  try {
    const { index, queryTower, seenItems } = await bundleFromBytes(containerOf(sections, runtime), { runtime });
    try {
      seenItems?.add('7', [...seenItems.itemsOf('7'), ...seenItems.itemsOf('new')]);
      seenItems?.save();
      index
        .call(queryTower && queryTower.inputs.length === 1 ? '7' : ({ user: '7', place: 'Oslo' } as never), 3)
        .hits();
      index.queryWithExclusions(vectors(1, index.dimensions, 1, runtime), ['x'], 3);
    } catch (error) {
      assert.ok(error instanceof ShortlistError, `${what}: ${(error as Error).stack}`);
    }
    return false;
  } catch (error) {
    assert.ok(error instanceof FormatError, `${what}: ${(error as Error).stack}`);
    assert.ok(
      runtime.heap.usedBytes <= used + TABLE_BYTES,
      `${what} leaves ${runtime.heap.usedBytes - used} bytes taken`,
    );
    return true;
  }
}

/** Every JSON made from `value` by one change at one place, with the path of the change. */
function* changes(value: Json, path = ''): Iterable<readonly [string, Json]> {
  for (const other of [null, true, 'x', -1, 0, 1, 1.5, 2 ** 31, 2 ** 53, [], {}, ['x'], { kind: 'tower' }]) {
    if (JSON.stringify(other) !== JSON.stringify(value)) yield [path, other];
  }
  if (Array.isArray(value)) {
    yield [`${path} longer`, [...value, 'x']];
    for (const [i, item] of value.entries()) {
      for (const [at, other] of changes(item, `${path}.${i}`)) yield [at, value.with(i, other)];
    }
  } else if (typeof value === 'object' && value !== null) {
    yield [`${path} more`, { ...value, more: 1 }];
    for (const [key, item] of Object.entries(value)) {
      const { [key]: _, ...rest } = value as JsonObject;
      yield [`${path}.${key} gone`, rest];
      for (const [at, other] of changes(item, `${path}.${key}`)) yield [at, { ...value, [key]: other }];
    }
  }
}

test('any one change of the settings', async () => {
  const settled: string[] = [];
  for (const good of GOOD) {
    const [settings, ...rest] = await sectionsOf(good);
    const tree = JSON.parse(new TextDecoder().decode(settings!.pieces[0]!)) as Json;
    for (const [path, changed] of changes(tree)) {
      const text = new TextEncoder().encode(JSON.stringify(changed));
      if (!(await refusedOrWorks([{ ...settings!, pieces: [text] }, ...rest], path))) settled.push(path);
    }
  }
  const free =
    /^\.settings\.metadata|\.settings\.k$|\.features(\.\d)?$|\.activation$|\.normalize$|\.maskToken$|takesFeatures$|excludeSeen$|seenAsHistory$|userFeature( gone)?$/;
  assert.deepEqual(
    settled.filter((path) => !free.test(path) && !path.endsWith('candidateTower gone')),
    [],
  );
});

test('a section missing, twice under another name, short, long, of another kind, or noise', async () => {
  for (const good of GOOD) {
    const sections = await sectionsOf(good);
    for (const [i, section] of sections.entries()) {
      const bytes = Buffer.concat(section.pieces);
      const generator = new Generator(i);
      const noise = bytes.map(() => generator.below(256));
      const put = (...replaced: ContainerSection[]): ContainerSection[] => sections.toSpliced(i, 1, ...replaced);
      assert.ok(await refusedOrWorks(put(), `${section.name} gone`));
      assert.ok(await refusedOrWorks(put(section, { ...section, name: 'index/more' }), `${section.name} twice`));
      if (bytes.length > 0) {
        assert.ok(await refusedOrWorks(put({ ...section, pieces: [bytes.subarray(1)] }), `${section.name} short`));
      }
      assert.ok(await refusedOrWorks(put({ ...section, pieces: [bytes, Buffer.alloc(8)] }), `${section.name} long`));
      for (const kind of ['settings', 'memory', 'bytes'] as const) {
        const refused = await refusedOrWorks(put({ ...section, kind }), `${section.name} as ${kind}`);
        assert.equal(refused, kind !== section.kind);
      }
      await refusedOrWorks(put({ ...section, pieces: [noise] }), `${section.name} noise`);
    }
  }
});

test('sections in another order are the same bundle', async () => {
  const [settings, ...rest] = await sectionsOf(GOOD[1]!);
  assert.equal(await refusedOrWorks([settings!, ...rest.toReversed()], 'reversed'), false);
  assert.ok(await refusedOrWorks([...rest, settings!], 'settings last'));
  assert.equal(TITLES.length, 40);
});
