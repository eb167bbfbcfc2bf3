/** The recall canary's share of the time, by a clock of its own. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { RecallCanary } from '../../src/observe/canary.ts';
import type { Query, QueryResult, Servable } from '../../src/servable/contract.ts';

const answer = (...identifiers: string[]): QueryResult => ({
  identifiers,
  scores: new Float32Array(identifiers.length),
  rows: new Int32Array(identifiers.length),
});

test('a comparison is followed by a rest, the longer the more processes have a canary', async () => {
  for (const [processes, restMs] of [
    [1, 500],
    [2, 1000],
  ] as const) {
    let clock = 0;
    let asked = 0;
    const servable = {
      isExact: () => false,
      searchExactly: async () => {
        asked++;
        clock += 10;
        return [answer('a', 'b')];
      },
    } as unknown as Servable;
    const published: number[] = [];
    const canary = new RecallCanary({ share: 1, processes, now: () => clock }, (recall) => published.push(recall));
    const observe = async (): Promise<void> => {
      canary.observe(servable, [{ k: 2 }] as Query[], [answer('a', 'c')]);
      await nextTurn();
      await nextTurn();
    };
    await observe();
    assert.deepEqual([asked, published], [1, [0.5]]);
    clock = 10 + restMs - 1;
    await observe();
    assert.equal(asked, 1, `${processes} processes`);
    clock++;
    await observe();
    assert.equal(asked, 2, `${processes} processes`);
  }
});

test('a query with rules is not compared, and does not take the turn of another', async () => {
  const compared: Query[] = [];
  const servable = {
    isExact: () => false,
    searchExactly: async (queries: readonly Query[]) => {
      compared.push(...queries);
      return [answer('a')];
    },
  } as unknown as Servable;
  const canary = new RecallCanary({ share: 0.5, processes: 1, now: () => 0 }, () => undefined);
  const queries: Query[] = [{ k: 1 }, { k: 2, rules: { scoreThreshold: 1 } }, { k: 3 }];
  canary.observe(
    servable,
    queries,
    queries.map(() => answer('a')),
  );
  await nextTurn();
  await nextTurn();
  assert.deepEqual(compared, [{ k: 3 }]);
});
