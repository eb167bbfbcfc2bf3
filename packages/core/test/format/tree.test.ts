/** Trees of saved objects: they load as they were saved, and nothing missing or left over is ignored. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { FormatError } from '../../src/errors/errors.ts';
import { type Loaders, loadPart, type Part, readSaved } from '../../src/format/part.ts';
import { bytesOf, containerSections, type Saved } from '../../src/format/saved.ts';
import { bytesSource } from '../../src/format/source.ts';
import { loadTextColumn, TEXT_ENCODINGS, TextColumn } from '../../src/format/text-column.ts';
import { anyText } from '../any-text.ts';
import { containerOf, runtime } from './containers.ts';

interface Fake {
  weights: Float32Array;
  words: string[];
}

const LOADERS: Loaders<unknown> = {
  /** A section in either memory, and settings that say how long they are. */
  fake: (part): Fake => ({
    weights: part.memory('weights', 4 * part.settings.integer('weights')).floats(2),
    words: loadTextColumn(
      part,
      part.settings.integer('words'),
      part.settings.oneOf('encoding', TEXT_ENCODINGS),
    ).toArray(),
  }),
  box: (part) => Object.fromEntries(part.partNames().map((name) => [name, loadPart(part.part(name), LOADERS)])),
};
const loadBox = (root: Part): unknown => loadPart(root, { box: LOADERS.box! });

function savedFake(numbers: readonly number[], words: readonly string[]): Saved {
  const block = runtime.heap.allocate(4 * numbers.length);
  const weights = block.floats(numbers.length);
  weights.set(numbers);
  const column = TextColumn.from(words);
  return {
    kind: 'fake',
    settings: { weights: numbers.length, words: words.length, encoding: column.encoding },
    sections: [{ name: 'weights', bytes: bytesOf(weights) }, ...column.sections()],
  };
}

const boxOf = (parts: Record<string, Saved>): Saved => ({ kind: 'box', settings: {}, sections: [], parts });
const bytesOfTree = (saved: Saved): Uint8Array => containerOf(containerSections(saved));
const read = (saved: Saved): Promise<unknown> => readSaved(bytesSource(bytesOfTree(saved)), loadBox, runtime);

async function fails(saved: Saved, section: string, message: RegExp): Promise<void> {
  const used = runtime.heap.usedBytes;
  await assert.rejects(read(saved), (error) => {
    assert.ok(error instanceof FormatError, String(error));
    assert.equal(error.section, section);
    assert.match(error.message, message);
    return true;
  });
  assert.ok(runtime.heap.usedBytes <= used, 'a refused container leaves nothing behind');
}

test('a tree comes back part by part', async () => {
  const tree = boxOf({ a: savedFake([1, 2], ['x', 'üy']), b: boxOf({ c: savedFake([3, 4], []) }) });
  const { a, b } = (await read(tree)) as { a: Fake; b: { c: Fake } };
  assert.deepEqual([...a.weights], [1, 2]);
  assert.deepEqual(a.words, ['x', 'üy']);
  assert.deepEqual([...b.c.weights], [3, 4]);
});

test('what is missing, left over or unknown is refused', async () => {
  const good = savedFake([1, 2], ['x']);
  const [weights, ...text] = good.sections;
  await fails(boxOf({ a: { ...good, sections: text } }), 'a/weights', /expected a section of this name, got none/);
  await fails(
    boxOf({ a: { ...good, sections: [...good.sections, { name: 'more', bytes: weights!.bytes }] } }),
    'a/more',
    /expected only sections that this version knows/,
  );
  await fails(
    boxOf({ a: { ...good, settings: { ...good.settings, x: 1 } } }),
    'settings',
    /a\.settings\.x: expected only keys that this version knows/,
  );
  await fails(boxOf({ a: { ...good, kind: 'newer' } }), 'settings', /a: kind: expected one of fake, box, got "newer"/);
  await fails(boxOf({ a: { ...good, kind: 'constructor' } }), 'settings', /expected one of/);
  await fails(
    boxOf({ a: { ...good, parts: { p: good } } }),
    'settings',
    /a\.parts\.p: expected only keys that this version knows/,
  );
  await fails(good, 'settings', /kind: expected one of box, got "fake"/);
  await fails(
    boxOf({ a: { ...good, settings: { ...good.settings, weights: 2 ** 40 } } }),
    'a/weights',
    /expected 4398046511104 bytes, got 8/,
  );
  await fails(
    boxOf({ a: { ...good, settings: { ...good.settings, words: 2 ** 40 } } }),
    'a/ends',
    /expected 4398046511104 bytes/,
  );
  const host = { name: 'weights', bytes: new Uint8Array(8) };
  await fails(
    boxOf({ a: { ...good, sections: [host, ...text] } }),
    'a/weights',
    /expected a section of kind memory, got bytes/,
  );
  const ends = (values: number[]): Saved => ({
    ...good,
    settings: { ...good.settings, words: values.length },
    sections: [
      weights!,
      { name: 'text', bytes: new Uint8Array(4) },
      { name: 'ends', bytes: bytesOf(Uint32Array.from(values)) },
    ],
  });
  await fails(boxOf({ a: ends([3, 2]) }), 'a/ends', /expected ascending ends/);
  await fails(boxOf({ a: ends([1, 9]) }), 'a/ends', /expected the last end to be 4, got 9/);
});

test('settings that JSON cannot hold are refused before anything is written', () => {
  for (const value of [Number.NaN, Infinity, undefined, () => 1, 1n]) {
    const saved: Saved = { kind: 'box', settings: { deep: [{ value }] } as never, sections: [] };
    assert.throws(() => containerSections(saved), { code: 'ERR_OPTION', message: /settings\.deep\.0\.value/ });
  }
});

test('columns of any strings come back as they were', () => {
  const word = fc.oneof(
    anyText(),
    fc.string({ unit: fc.constantFrom('\ud800', '\udc00', 'a', 'ü') }),
    fc.constantFrom('', '\ufeff', '\ufeffx', '\u0000'),
  );
  fc.assert(
    fc.property(fc.array(word, { maxLength: 30 }), (words) => {
      assert.deepEqual(TextColumn.from(words).toArray(), words);
    }),
    { numRuns: 300, seed: 5 },
  );
  assert.equal(TextColumn.from(['a', '\ud83d', '\ude00']).encoding, 'utf-16le');
  assert.equal(TextColumn.from(['a', '\ud83d\ude00']).encoding, 'utf-8');
  const many = Array.from({ length: 5000 }, (_, i) => (i % 1700 === 0 ? `é${i}` : `item ${i}`));
  assert.deepEqual(TextColumn.from(many).toArray(), many);
});
