/** What `train --from` says of the earlier model: users and items that it knows, and items that are left out. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { interactionsOf, Tower } from 'shortlist';
import { dictionaryColumn } from 'shortlist/recommenders';
import { fromEvent } from '../src/train/warm-start.ts';

test('items of the earlier model without a row are counted where the new model leaves them out', () => {
  const model = {
    queryTower: Tower.create({ vocabulary: ['u', 'v'], dimensions: 2 }),
    candidateTower: Tower.create({ vocabulary: ['a', 'b', 'c'], dimensions: 2 }),
  };
  const interactions = interactionsOf({
    users: dictionaryColumn(['u', 'w']),
    items: dictionaryColumn(['b', 'd']),
  });
  const event = (kind: 'history' | 'features' | 'two-tower') =>
    fromEvent({ path: 'p', model, chosen: { model: kind, settings: {} }, features: undefined }, interactions);
  for (const kind of ['history', 'features'] as const) {
    const { leftOutItems, newItems, known } = event(kind);
    assert.deepEqual([leftOutItems, newItems, known.items], [2, 1, 1], kind);
  }
  assert.equal(event('two-tower').leftOutItems, 0, 'a model of two towers keeps its items');
});
