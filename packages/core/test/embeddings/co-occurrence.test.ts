/** First pointers from co-occurrence: planted groups are found before any training, and wrong arguments are refused. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cluster } from '../../src/embeddings/cluster.ts';
import { pointByCoOccurrence } from '../../src/embeddings/co-occurrence.ts';
import { CoOccurrenceMatrix, type CoOccurrences } from '../../src/embeddings/co-occurrence-matrix.ts';
import { Cqr } from '../../src/embeddings/cqr.ts';
import { FullTable } from '../../src/embeddings/full.ts';
import { OptionError, ShapeError, StateError } from '../../src/errors/errors.ts';
import { Runtime } from '../../src/parallel/runtime.ts';
import { Generator } from '../../src/random/generator.ts';
import { collectedBytes } from '../memory/collected-bytes.ts';

const [QUERIES, CANDIDATES, GROUPS, D] = [160, 120, 4, 8];

function make(vocabularySize: number, { minCount = 1, runtime = new Runtime({ threads: 1 }) } = {}): Cqr {
  // Eight rows of M a column, two a group: k-means from random rows may leave a group without one of only four.
  const options = { parameters: 4 * GROUPS * D, columns: 2, minCount };
  return Cqr.create(options, { vocabularySize, dimensions: D, seed: 3, runtime });
}

/** Queries of group g (id mod 4) click on candidates of group g; with labels they also see others and do not. */
function planted(hasLabels: boolean): CoOccurrences {
  const generator = new Generator(8);
  const rows = Array.from({ length: 6000 }, () => {
    const query = generator.below(QUERIES);
    const isClick = !hasLabels || generator.below(2) === 0;
    const group = isClick ? query % GROUPS : (query + 1 + generator.below(GROUPS - 1)) % GROUPS;
    return { query, candidate: GROUPS * generator.below(CANDIDATES / GROUPS) + group, label: isClick ? 1 : 0 };
  });
  const queries = Int32Array.from(rows, ({ query }) => query);
  const candidates = Int32Array.from(rows, ({ candidate }) => candidate);
  return hasLabels
    ? { queries, candidates, labels: Uint8Array.from(rows, ({ label }) => label) }
    : { queries, candidates };
}

/** Of all pairs of ids that share a pointer in the column, the share that are of one group. */
function purity(pointers: Uint16Array, column: number): number {
  const members = new Map<number, number[]>();
  for (let id = 0; 2 * id < pointers.length; id++) {
    const pointer = pointers[2 * id + column]!;
    members.set(pointer, [...(members.get(pointer) ?? []), id % GROUPS]);
  }
  let [same, all] = [0, 0];
  for (const groups of members.values()) {
    for (const a of groups) for (const b of groups) if (a === b) same++;
    all += groups.length ** 2;
  }
  return same / all;
}

for (const hasLabels of [true, false]) {
  test(`planted groups share pointers, labels ${hasLabels}; the same bits on any number of threads`, async () => {
    const runs: Uint16Array[] = [];
    for (const threads of [1, 2]) {
      const runtime = new Runtime({ threads });
      const [queries, candidates] = [make(QUERIES, { runtime }), make(CANDIDATES, { runtime })];
      const shares: number[] = [];
      await pointByCoOccurrence(queries, candidates, planted(hasLabels), { onProgress: (share) => shares.push(share) });
      assert.ok(shares.length >= 4 && shares.every((share, i) => share >= (shares[i - 1] ?? 0) && share <= 1));
      assert.equal(queries.clusterings, 1);
      for (const table of [queries, candidates]) {
        // By hashing about a quarter of the pairs would be of one group.
        for (const column of [0, 1])
          assert.ok(purity(table.pointers!, column) > 0.95, `column ${column}: ${purity(table.pointers!, column)}`);
      }
      await cluster(queries);
      assert.equal(queries.clusterings, 2);
      runs.push(queries.pointers!.slice());
    }
    assert.deepEqual(runs[1], runs[0]);
  });
}

test('products with the matrix are those with its dense form', () => {
  const rows = { queries: Int32Array.of(0, 1, 1, 2), candidates: Int32Array.of(0, 0, 1, 1) };
  const labelled = new CoOccurrenceMatrix({ ...rows, labels: Uint8Array.of(1, 0, 1, 1) }, [3, 2]);
  const plain = new CoOccurrenceMatrix(rows, [3, 2]);
  // Two directions of two candidates are all there are: features are the rows of A, rotated.
  const dense = {
    labelled: [
      [0.25, 0],
      [-0.75, 0.25],
      [0, 0.25],
    ],
    plain: [
      [1, 0],
      [1, 1],
      [0, 1],
    ],
  };
  for (const [matrix, expected] of [
    [labelled, dense.labelled],
    [plain, dense.plain],
  ] as const) {
    const features = matrix.features(0, 2, 0, new Generator(1));
    for (let a = 0; a < 3; a++) {
      for (let b = 0; b < 3; b++) {
        const [x, y] = [features.subarray(2 * a, 2 * a + 2), features.subarray(2 * b, 2 * b + 2)];
        const [p, q] = [expected[a]!, expected[b]!];
        const difference = x[0]! * y[0]! + x[1]! * y[1]! - (p[0]! * q[0]! + p[1]! * q[1]!);
        assert.ok(Math.abs(difference) < 1e-6, `${a}, ${b}: ${difference}`);
      }
    }
  }
});

test('ids of fewer than minCount rows stay hashed, other tables as they are', async () => {
  const table = make(QUERIES, { minCount: 3 });
  const full = FullTable.create({ vocabularySize: CANDIDATES, dimensions: D, seed: 1 });
  const { queries, candidates } = planted(false);
  const common = queries.map((id) => (id < 40 ? id : id % 40));
  common[0] = 150;
  await pointByCoOccurrence(table, full, { queries: common, candidates });
  assert.equal(table.pointers!.length, 40 * 2);
});

test('wrong tables, rows and moments are named; an interruption changes nothing', async () => {
  const [queries, candidates] = [make(QUERIES), make(CANDIDATES)];
  const rows = planted(true);
  const full = FullTable.create({ vocabularySize: QUERIES, dimensions: D, seed: 1 });
  const rejects = (work: Promise<void>, kind: new (...args: never[]) => Error, message: RegExp): Promise<void> =>
    assert.rejects(work, (error) => error instanceof kind && message.test(error.message));
  await rejects(pointByCoOccurrence(full, full, rows), OptionError, /at least one of method cqr, got none/);
  await rejects(pointByCoOccurrence(candidates, queries, rows), OptionError, /ids: expected integers from 0 to 119/);
  const short = { ...rows, labels: rows.labels!.subarray(1) };
  await rejects(pointByCoOccurrence(queries, candidates, short), ShapeError, /columns of one length/);
  await rejects(pointByCoOccurrence(queries, candidates, rows, { hops: -1 }), OptionError, /hops/);
  const rare = make(QUERIES, { minCount: 255 });
  await rejects(pointByCoOccurrence(rare, candidates, rows), StateError, /at least 255 of them \(minCount\), got none/);
  const used = await collectedBytes(queries.codebook.runtime.heap);
  const abort = new AbortController();
  const onProgress = (share: number): void => {
    if (share > 0.1) abort.abort();
  };
  await assert.rejects(
    pointByCoOccurrence(queries, full, rows, { onProgress, signal: abort.signal }),
    /co-occurrence: interrupted/,
  );
  assert.equal(queries.clusterings, 0);
  assert.equal(queries.codebook.runtime.heap.usedBytes, used);
  await cluster(queries);
  await rejects(pointByCoOccurrence(queries, candidates, rows), StateError, /got one clustered 1 times/);
});
