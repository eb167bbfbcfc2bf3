/** Drift: nothing at first, grows with upserts that lie elsewhere, looked at only after enough of them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BruteForce, ScaNN } from 'shortlist';
import { Generator } from 'shortlist/random';
import { IndexServable } from '../../src/servable/index-servable.ts';

const D = 8;
const ROWS = 1000;

test('upserts far from their leaves show as drift; an exact index has none', () => {
  const generator = new Generator(9).fork('drift');
  const vector = (shift: number): Float32Array => Float32Array.from({ length: D }, () => generator.uniform() + shift);
  const vectors = Array.from({ length: ROWS }, () => vector(0));
  const ids = vectors.map((_, i) => `c${i}`);
  const parts = { queryTower: undefined, save: async () => undefined };
  const exact = new BruteForce<never, string>().index(vectors, ids);
  assert.equal(new IndexServable({ ...parts, index: exact as never }).drift(), undefined);
  const index = new ScaNN<never, string>({ tree: 'always', numLeaves: 10 }).index(vectors, ids);
  const servable = new IndexServable({ ...parts, index: index as never });
  assert.deepEqual(servable.drift(), { movedShare: 0, distanceRatio: 1 });
  for (let i = 0; i < 20; i++) servable.apply({ kind: 'upsert', identifier: `n${i}`, embedding: vector(3) });
  assert.deepEqual(servable.drift(), { movedShare: 0, distanceRatio: 1 });
  for (let i = 20; i < 300; i++) servable.apply({ kind: 'upsert', identifier: `n${i}`, embedding: vector(3) });
  const { movedShare, distanceRatio } = servable.drift()!;
  assert.ok(distanceRatio > 5, String(distanceRatio));
  assert.ok(movedShare > 0 && movedShare < 1, String(movedShare));
});
