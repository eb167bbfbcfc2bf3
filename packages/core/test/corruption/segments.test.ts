/** Loading a forged bundle of an index in segments throws one FormatError, or gives an index that works. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bundleToBytes } from '../../src/bundle/bundle.ts';
import type { Json, JsonObject } from '../../src/format/settings.ts';
import type { ContainerSection } from '../../src/format/writer.ts';
import { Generator } from '../../src/random/generator.ts';
import { BruteForce } from '../../src/topk/brute-force/brute-force.ts';
import { ScaNN } from '../../src/topk/scann/scann.ts';
import { segmentsOf } from '../../src/topk/scann/segments/segments.ts';
import { vectors } from '../bundle/worlds.ts';
import { isThorough } from '../thorough.ts';
import { changes, refusedOrWorks, runtime, sectionsOf } from './forgeries.ts';

const index = new ScaNN({ tree: 'always', numLeaves: 4, minLeafSize: 0, segments: segmentsOf(2_000), runtime });
const GOOD = bundleToBytes({ index: index.index(vectors(90, 5, 2, runtime)) });

/** The same tree with another value at a path. */
function changed(tree: Json, [key, ...rest]: readonly string[], value: Json): Json {
  if (key === undefined) return value;
  const object = tree as JsonObject;
  return { ...object, [key]: changed(object[key]!, rest, value) };
}

test('any one change of the shape and of the settings of segments', async () => {
  assert.ok(index.stats().segments > 1);
  const [settings, ...rest] = await sectionsOf(GOOD);
  const tree = JSON.parse(new TextDecoder().decode(settings!.pieces[0]!)) as Json;
  const places = [
    ['parts', 'index', 'settings', 'segments'],
    ['parts', 'index', 'settings', 'shape'],
    ['parts', 'index', 'parts', 'segment-1'],
  ];
  for (const place of places) {
    const part = place.reduce((at, key) => (at as JsonObject)[key]!, tree);
    let count = 0;
    for (const [path, value] of changes(part)) {
      // In the usual run each place gets every third of the values, and each name is left out or added.
      if (!isThorough && count++ % 3 !== 0 && !/ (gone|more|longer)$/.test(path)) continue;
      const text = new TextEncoder().encode(JSON.stringify(changed(tree, place, value)));
      const what = `${place.join('.')}${path}`;
      const isRefused = await refusedOrWorks([{ ...settings!, pieces: [text] }, ...rest], what);
      assert.ok(
        isRefused ||
          /\.(?:groupBound|eta|builtDistance|hasRotation gone)$/.test(what) ||
          /shape\.(?:groups|capacity|builtGroups|isSquared|places)$/.test(what),
        what,
      );
    }
  }
});

test('any one change of the settings of an exact index in segments', async () => {
  const exact = new BruteForce({ segments: segmentsOf(1), runtime }).index(vectors(300, 5, 2, runtime));
  const [settings, ...rest] = await sectionsOf(bundleToBytes({ index: exact }));
  assert.equal(rest.filter(({ name }) => name.endsWith('/candidates')).length, 3);
  const tree = JSON.parse(new TextDecoder().decode(settings!.pieces[0]!)) as Json;
  for (const place of [
    ['parts', 'index', 'settings'],
    ['parts', 'index', 'parts', 'segment-1'],
  ]) {
    const part = place.reduce((at, key) => (at as JsonObject)[key]!, tree);
    for (const [path, value] of changes(part)) {
      const text = new TextEncoder().encode(JSON.stringify(changed(tree, place, value)));
      const what = `${place.join('.')}${path}`;
      const isRefused = await refusedOrWorks([{ ...settings!, pieces: [text] }, ...rest], what);
      // Any number of results and any size that gives segments of 128 rows is valid.
      assert.ok(isRefused || /settings\.(?:k|segmentBytes)$/.test(what), what);
    }
  }
  exact.free();
});

test('a section of a segment missing, short, or noise', async () => {
  const sections = await sectionsOf(GOOD);
  for (const [i, section] of sections.entries()) {
    if (!section.name.includes('segment-1/')) continue;
    const bytes = Buffer.concat(section.pieces);
    const generator = new Generator(i);
    const put = (...replaced: ContainerSection[]): ContainerSection[] => sections.toSpliced(i, 1, ...replaced);
    assert.ok(await refusedOrWorks(put(), `${section.name} gone`));
    assert.ok(await refusedOrWorks(put({ ...section, pieces: [bytes.subarray(1)] }), `${section.name} short`));
    const noise = bytes.map(() => generator.below(256));
    await refusedOrWorks(put({ ...section, pieces: [noise] }), `${section.name} noise`);
  }
});

test('more segments than an index can have are refused before memory is taken for them', async () => {
  const sections = await sectionsOf(GOOD);
  const [some] = sections.filter(({ name }) => name.includes('segment-1/'));
  const more = Array.from({ length: 70 }, (_, i) => ({ ...some!, name: `index/segment-${100 + i}/codes` }));
  assert.ok(await refusedOrWorks([...sections, ...more], '70 segments more'));
});
