/**
 * A forged bundle, its checksums right and its contents wrong, is one FormatError or a bundle that works: settings of
 * any value, sections missing, left over, too short or filled with noise. Damage that checksums see is in
 * container.test.ts.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bundleToBytes } from '../../src/bundle/bundle.ts';
import type { Json } from '../../src/format/settings.ts';
import type { ContainerSection } from '../../src/format/writer.ts';
import { Generator } from '../../src/random/generator.ts';
import { SeenItems } from '../../src/seen/seen-items.ts';
import { BruteForce } from '../../src/topk/brute-force/brute-force.ts';
import type { Identifier } from '../../src/topk/contract.ts';
import { deepTower, IDENTIFIERS, TITLES, vectors, world } from '../bundle/worlds.ts';
import { isThorough } from '../thorough.ts';
import { changes, refusedOrWorks, runtime, sectionsOf } from './forgeries.ts';

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

test('any one change of the settings', async () => {
  const settled: string[] = [];
  for (const [bundle, good] of GOOD.entries()) {
    const [settings, ...rest] = await sectionsOf(good);
    const tree = JSON.parse(new TextDecoder().decode(settings!.pieces[0]!)) as Json;
    let count = 0;
    for (const [path, changed] of changes(tree)) {
      // In the usual run a third of the changes, of the next bundle another third: every place is changed in each.
      if (!isThorough && count++ % 3 !== bundle % 3) continue;
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
