/** The servable over both kinds of index: batches, settings, filters, updates; against plain code. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { BruteForce, type Identifier, ScaNN, Tower } from 'shortlist';
import { Generator } from 'shortlist/random';
import { AttributeTable } from '../../src/attributes/table.ts';
import type { Query } from '../../src/servable/contract.ts';
import type { ServedIndex } from '../../src/servable/index-parts.ts';
import { IndexServable } from '../../src/servable/index-servable.ts';

const N = 3000;
const D = 8;
const generator = new Generator(3).fork('servable');
const vector = (): Float32Array => Float32Array.from({ length: D }, () => Math.fround(generator.uniform() - 0.5));
const vectors = Array.from({ length: N }, vector);
const ids = vectors.map((_, i) => `c${i}`);

/** Σ in float32, step by step. */
const dot = (a: Float32Array, b: Float32Array): number =>
  a.reduce((sum, value, t) => Math.fround(sum + Math.fround(value * b[t]!)), 0);

const KINDS = {
  BruteForce: () => new BruteForce<never, string>({ k: 5 }).index(vectors, ids),
  // Every leaf searched and everything reordered, so that answers can be compared with exact ones.
  ScaNN: () =>
    new ScaNN<never, string>({
      k: 5,
      tree: 'always',
      numLeaves: 20,
      numLeavesToSearch: 20,
      numReorderingCandidates: 2 * N,
    }).index(vectors, ids),
};

for (const [name, build] of Object.entries(KINDS)) {
  const make = (): IndexServable => {
    const attributes = new AttributeTable();
    attributes.addColumn(
      'group',
      vectors.map((_, i) => i % 3),
    );
    return new IndexServable({
      index: build() as unknown as ServedIndex,
      queryTower: undefined,
      attributes,
      save: async () => undefined,
    });
  };
  const live = new Map<Identifier, Float32Array>(ids.map((id, i) => [id, vectors[i]!]));
  const expected = (
    candidates: Map<Identifier, Float32Array>,
    query: Float32Array,
    k: number,
    keep = (_id: Identifier): boolean => true,
  ): Identifier[] =>
    [...candidates]
      .filter(([id]) => keep(id))
      .map(([id, candidate]) => ({ id, score: dot(query, candidate) }))
      .sort((a, b) => b.score - a.score)
      .slice(0, k)
      .map(({ id }) => id);

  describe(name, () => {
    test('queries of a batch with different settings each get their own answer', async () => {
      const servable = make();
      const embeddings = Array.from({ length: 12 }, vector);
      const excluded = expected(live, embeddings[0]!, 2);
      const queries: Query[] = embeddings.map((embedding, i) => ({
        embedding,
        k: 3 + (i % 3),
        ...(i % 4 === 1 ? { filter: { equals: { group: 1 } } } : {}),
        ...(i % 4 === 2 ? { include: ['c1', 'c2', 'nobody'] } : {}),
        ...(i === 0 ? { exclude: excluded } : {}),
      }));
      const answers = await servable.search(queries);
      answers.forEach(({ identifiers }, i) => {
        const keep = (id: Identifier): boolean => {
          if (i === 0) return !excluded.includes(id);
          if (i % 4 === 1) return Number(String(id).slice(1)) % 3 === 1;
          return i % 4 !== 2 || id === 'c1' || id === 'c2';
        };
        assert.deepEqual([...identifiers], expected(live, embeddings[i]!, queries[i]!.k, keep), `query ${i}`);
      });
    });

    test('random updates: every answer is that of a map', async () => {
      const servable = make();
      const model = new Map(live);
      const steps = new Generator(9).fork('updates');
      for (let step = 0; step < 120; step++) {
        const identifier = `c${Math.floor(steps.uniform() * (N + 60))}`;
        if (steps.uniform() < 0.4) {
          servable.apply({ kind: 'delete', identifier });
          model.delete(identifier);
        } else {
          const embedding = vector().map((value) => value * 3);
          servable.apply({ kind: 'upsert', identifier, embedding, attributes: { group: 1 } });
          model.set(identifier, embedding);
        }
        if (step % 10 !== 0) continue;
        const query = vector();
        assert.equal(servable.size, model.size);
        assert.deepEqual(
          [...(await servable.search([{ embedding: query, k: 20 }]))[0]!.identifiers],
          expected(model, query, 20),
        );
        const [one] = await servable.search([
          { embedding: query, k: 9, exclude: expected(model, query, 4), filter: { in: { group: [1] } } },
        ]);
        const inGroup = (id: Identifier): boolean =>
          model.get(id) !== live.get(id) || Number(String(id).slice(1)) % 3 === 1;
        const top = expected(model, query, 4);
        assert.deepEqual(
          [...one!.identifiers],
          expected(model, query, 9, (id) => inGroup(id) && !top.includes(id)),
        );
      }
    });

    test('the exact answer is exact, and an approximate index counts its work', async () => {
      const servable = make();
      const query = vector();
      await servable.search([{ embedding: query, k: 10 }]);
      const [answer] = await servable.searchExactly([{ embedding: query, k: 10, leavesToSearch: 1, reorder: 10 }]);
      assert.deepEqual([...answer!.identifiers], expected(live, query, 10));
      if (name === 'ScaNN') assert.ok(servable.scanCounts().codesScored > 0);
    });

    test('a wrong embedding is the asker’s mistake', async () => {
      const search = async (): Promise<unknown> => make().search([{ embedding: new Float32Array(3), k: 1 }]);
      await assert.rejects(search, { code: 'INVALID_ARGUMENT' });
    });
  });
}

test('a query tower of one named feature is served as one of a plain feature', async () => {
  const queryTower = Tower.create({ features: { user: { vocabulary: ['a', 'b'], dimensions: D } } });
  const servable = new IndexServable({
    index: new BruteForce<never, string>({ k: 5 }).index(vectors, ids) as unknown as ServedIndex,
    queryTower: queryTower as never,
    attributes: new AttributeTable(),
    save: async () => undefined,
  });
  assert.deepEqual(
    servable.features.map(({ name }) => name),
    ['user'],
  );
  const embedding = queryTower
    .embed([{ user: 'b' }])
    .row(0)
    .slice();
  const [byFeature] = await servable.search([{ features: 'b', k: 5 }]);
  const [byEmbedding] = await servable.search([{ embedding, k: 5 }]);
  assert.deepEqual(byFeature, byEmbedding);
});
