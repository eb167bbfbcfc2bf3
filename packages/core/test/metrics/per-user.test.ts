/** Per-user evaluation: known results, with the items that users know removed. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { evaluatePerUser } from '../../src/metrics/per-user.ts';
import { BruteForce } from '../../src/topk/brute-force/brute-force.ts';

test('known answers: precision and recall with the known items left out', () => {
  // Every user likes a most, then b, c, d, e.
  const index = new BruteForce<ArrayLike<number>, string>().index([[5], [4], [3], [2], [1]], ['a', 'b', 'c', 'd', 'e']);
  const { users, skipped, metrics } = evaluatePerUser(
    index,
    [
      { query: [1], positives: ['c', 'e'], known: ['a', 'b'] },
      { query: [1], positives: ['b'] },
      { query: [2], positives: [] },
      { query: [-1], positives: ['a', 'b'], known: ['a'] },
    ],
    { ks: [1, 2] },
  );
  assert.equal(users, 3);
  assert.equal(skipped, 1);
  const [at1, at2] = metrics;
  assert.deepEqual([at1!.k, at1!.recall, at1!.precision], [1, 1 / 2 / 3, 1 / 3]);
  assert.deepEqual([at2!.k, at2!.recall, at2!.precision], [2, (1 / 2 + 1) / 3, (1 / 2 + 1 / 2) / 3]);
  assert.equal(at2!.reciprocalRank, (1 + 1 / 2) / 3);
  assert.equal(at2!.hitRate, 2 / 3);
  // Results are c d, a b and e d: all five.
  assert.equal(at2!.coverage, 1);
  assert.equal(at1!.coverage, 3 / 5);
});

test('no user with positives: nothing is reported', () => {
  const index = new BruteForce<ArrayLike<number>, number>().index([[1]]);
  assert.deepEqual(evaluatePerUser(index, [{ query: [1], positives: [] }]), { users: 0, skipped: 1, metrics: [] });
  assert.throws(() => evaluatePerUser(index, [], { ks: [0] }), { code: 'ERR_OPTION' });
});
