/** Query vectors of histories: the mean of candidates, or the fold-in, against plain code. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { fitAls } from '../../src/als/fit-als.ts';
import { bundleFromBytes, bundleToBytes } from '../../src/bundle/bundle.ts';
import { IdentifierError, OptionError } from '../../src/errors/errors.ts';
import { Runtime } from '../../src/parallel/runtime.ts';
import { historyVectors, splitHistory } from '../../src/seen/history-vectors.ts';
import { SeenItems } from '../../src/seen/seen-items.ts';
import { BruteForce } from '../../src/topk/brute-force/brute-force.ts';
import type { Identifier } from '../../src/topk/contract.ts';
import { ScaNN } from '../../src/topk/scann/scann.ts';
import { Streaming } from '../../src/topk/streaming/streaming.ts';
import { Tower } from '../../src/towers/tower.ts';
import { IDENTIFIERS, TITLES, vectors, world } from '../bundle/worlds.ts';
import { checkerboard } from '../recommenders/worlds.ts';

const runtime = new Runtime({ threads: 1 });
const D = 8;
const rows = vectors(TITLES.length, D, 3, runtime);
const NAMES = [...TITLES.slice(0, 38), 'toString', '__proto__'];

const INDEXES = {
  BruteForce: () => new BruteForce<never, string>({ runtime }).index(rows, NAMES),
  ScaNN: () => new ScaNN<never, string>({ runtime }).index(rows, NAMES),
};

for (const [name, make] of Object.entries(INDEXES)) {
  test(`${name}: the weighted mean of the candidates' unit vectors, each item once; unknown items are said`, () => {
    const index = make();
    index.delete([NAMES[5]!]);
    const item = fc.constantFrom(...NAMES, 'constructor', 'new', '');
    fc.assert(
      fc.property(fc.array(fc.array(item, { maxLength: 9 }), { maxLength: 4 }), (histories) => {
        const isKnown = (one: string): boolean => NAMES.includes(one) && one !== NAMES[5];
        // Each where it stands last.
        const distinct = (history: string[]): string[] => history.filter((one, i) => !history.includes(one, i + 1));
        const known = histories.map((history) => distinct(history.filter(isKnown)));
        const unknown = histories.map((history) => distinct(history.filter((one) => !isKnown(one))));
        histories.forEach((history, i) => {
          assert.deepEqual(splitHistory(index, history), { known: known[i], unknown: unknown[i] });
        });
        if (known.some(({ length }) => length === 0)) {
          assert.throws(() => historyVectors(index, histories), OptionError);
          return;
        }
        const made = historyVectors(index, histories);
        assert.deepEqual(made.unknown, unknown);
        known.forEach((items, row) => {
          const weights = items.map((_, i) => 2 ** (-(items.length - 1 - i) / 3));
          const total = weights.reduce((sum, weight) => sum + weight, 0);
          for (let t = 0; t < D; t++) {
            const sum = items.reduce((sum, one, i) => {
              const vector = rows.row(NAMES.indexOf(one));
              return sum + (weights[i]! * vector[t]!) / Math.hypot(...vector);
            }, 0);
            assert.ok(Math.abs(made.vectors.row(row)[t]! - sum / total) < 1e-5);
          }
        });
        made.vectors.free();
      }),
      { numRuns: 50 },
    );
  });
}

test('a history that a user was trained on is answered as the user is, by the fold-in of implicit ALS', async () => {
  const interactions = checkerboard(24);
  const { queryModel, candidates, identifiers } = await fitAls(interactions, { dimensions: 8, iterations: 3, runtime });
  const index = new BruteForce<string | readonly string[], string>({ queryModel, runtime });
  index.index(candidates, identifiers);
  const seenItems = SeenItems.fromInteractions(interactions);
  const bundle = await bundleFromBytes<string | readonly string[], string>(bundleToBytes({ index, seenItems }), {
    runtime,
  });
  const history = bundle.seenItems!.itemsOf('u2');
  const made = historyVectors(bundle.index, [[...history, 'new', 'toString', 'new']]);
  assert.deepEqual(made.unknown, [['toString', 'new']]);
  const exclude = bundle.seenItems!.exclusions(['u2']);
  const [byHistory, byUser] = [made.vectors, ['u2']].map((query) => bundle.index.call(query, { k: 3, exclude }));
  assert.deepEqual(byHistory!.identifiers(), byUser!.identifiers());
  assert.equal(byUser!.identifiers()[0], 'i2');
  assert.deepEqual(byHistory!.scores, byUser!.scores);
  assert.throws(
    () => historyVectors(bundle.index, [history, ['new']]),
    /histories\[1\]: expected an item that the model/,
  );
});

test('means have the length 1 where those of the query tower have', () => {
  const queryModel = Tower.create({ vocabulary: ['a'], dimensions: D, normalize: true, runtime });
  const index = new BruteForce<string, string>({ queryModel, runtime }).index(rows, NAMES);
  const { vectors: made } = historyVectors(index, [NAMES.slice(0, 3), NAMES.slice(4, 5)]);
  for (const row of [0, 1]) assert.ok(Math.abs(Math.hypot(...made.row(row)) - 1) < 1e-6);
});

test('an index of squared distances is asked with the mean of the vectors as they are', () => {
  const points = [
    [3, 0],
    [0, 4],
  ];
  const index = new ScaNN<never, string>({ distanceMeasure: 'squared_l2', runtime }).index(points, ['a', 'b']);
  const [x, y] = historyVectors(index, [['a', 'b']]).vectors.row(0);
  const older = 2 ** (-1 / 3);
  assert.ok(Math.abs(x! - (3 * older) / (1 + older)) < 1e-6 && Math.abs(y! - 4 / (1 + older)) < 1e-6);
});

for (const [kind, identifiers] of Object.entries(IDENTIFIERS)) {
  test(`items that are ${kind}`, () => {
    const { index } = world(runtime, { identifiers });
    const all: readonly Identifier[] = identifiers ?? TITLES.map((_, row) => row);
    assert.deepEqual(splitHistory(index, [all[2]!, all[2]!, all[7]!]), { known: [all[2], all[7]], unknown: [] });
    const other = typeof all[0] === 'string' ? 7 : 'x';
    assert.throws(() => splitHistory(index, [other]), IdentifierError);
  });
}

test('an index that does not hold its candidates is refused', () => {
  const streaming = new Streaming<never, string>({ dataset: () => [], runtime });
  assert.throws(() => historyVectors(streaming, [['a']]), /index: expected one that holds its candidates/);
});

test('whose seen items are the history, as the bundle says', () => {
  for (const [seenAsHistory, known, unknown] of [
    ['never', [], []],
    ['unknown-users', [], ['a']],
    ['always', ['a'], ['a']],
  ] as const) {
    const seen = SeenItems.empty({ seenAsHistory });
    seen.add('u', ['a']);
    assert.deepEqual([seen.historyOf('u', true), seen.historyOf('u', false)], [known, unknown]);
    assert.deepEqual(seen.historyOf('v', false), []);
  }
});
