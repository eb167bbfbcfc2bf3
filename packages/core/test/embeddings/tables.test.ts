/** Every embedding method on the tables' case file, and budgets that cannot be met. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cluster } from '../../src/embeddings/cluster.ts';
import type { EmbeddingTable } from '../../src/embeddings/contract.ts';
import type { Cqr } from '../../src/embeddings/cqr.ts';
import { type EmbeddingOptions, makeTable } from '../../src/embeddings/make-table.ts';
import { quantizeProduct } from '../../src/embeddings/product.ts';
import { quantizeResidual } from '../../src/embeddings/residual.ts';
import { Sgd } from '../../src/optimizers/sgd.ts';
import { defaultRuntime, type Runtime } from '../../src/parallel/runtime.ts';
import { TwoTowerModel } from '../../src/retrieval/model.ts';
import { Tower } from '../../src/towers/tower.ts';
import { Matrix } from '../../src/vectors/matrix.ts';
import { runEmbeddingCases } from '../conformance/embedding.case.ts';

const OPTIONS: EmbeddingOptions[] = [
  { method: 'full' },
  { method: 'hashing-trick', parameters: 80 },
  { method: 'bloom', parameters: 80 },
  { method: 'bloom', parameters: 80, sums: 3 },
  { method: 'compositional', parameters: 80 },
  { method: 'compositional', parameters: 80, columns: 8 },
  { method: 'unified', parameters: 80 },
  { method: 'quotient-remainder', parameters: 160, combine: 'add' },
  { method: 'quotient-remainder', parameters: 160, combine: 'multiply' },
  { method: 'quotient-remainder', parameters: 80, combine: 'concatenate' },
  { method: 'hash-embeddings', parameters: 96 },
  { method: 'robe', parameters: 80 },
  { method: 'robe', parameters: 81, columns: 2 },
  { method: 'dhe', parameters: 240 },
  { method: 'cqr', parameters: 80 },
  { method: 'cqr', parameters: 80, columns: 2 },
  { method: 'cqr', parameters: 80, minCount: 3 },
];

const make = (options: EmbeddingOptions, seed: number, runtime: Runtime = defaultRuntime()): EmbeddingTable =>
  makeTable(options, { vocabularySize: 40, dimensions: 8, seed, runtime });

for (const options of OPTIONS) {
  const { method, ...rest } = options;
  runEmbeddingCases({
    name: [method, ...Object.values(rest)].join(' '),
    make: (seed, runtime) => make(options, seed, runtime),
  });
  test(`${method} ${JSON.stringify(rest)}: spends its budget and not more, in parameters and in bytes`, () => {
    if (method === 'full') return;
    const { parameters } = make(options, 1);
    const budget = (options as { parameters: number }).parameters;
    assert.ok(parameters <= budget && parameters > 0.8 * budget, `${parameters} of ${budget}`);
    const { parameters: _, ...shape } = options as { parameters: number } & Record<string, unknown>;
    // Room for coefficients and, in CQR, for pointers.
    const bytes = make({ ...shape, bytes: 4 * budget + 256 } as EmbeddingOptions, 1).sizeBytes();
    assert.ok(bytes <= 4 * budget + 256, `${bytes} bytes`);
  });
}

const full = (seed: number, runtime: Runtime): EmbeddingTable => make({ method: 'full' }, seed, runtime);
runEmbeddingCases({
  name: 'product quantization',
  make: (seed, runtime) => quantizeProduct(full(seed, runtime), { parameters: 80, columns: 2, seed }),
});
runEmbeddingCases({
  name: 'residual quantization',
  make: (seed, runtime) => quantizeResidual(full(seed, runtime), { parameters: 80, stages: 3, seed }),
});

/** A CQR table that was clustered; with `minCount` after batches that had every other id only. */
async function clustered(options: EmbeddingOptions, helper: boolean, seed: number, runtime: Runtime): Promise<Cqr> {
  const table = make(options, seed, runtime) as Cqr;
  const ids = Int32Array.from({ length: 20 }, (_, i) => 2 * i);
  const gradients = new Matrix(20, 8, runtime);
  for (let batch = 0; batch < 3; batch++) table.applyGradient(ids, gradients, new Sgd());
  await cluster(table, { helper });
  // A helper of zeros would be all alike.
  table.codebook.data.forEach((value, i, data) => {
    data[i] = value + 0.01 * Math.sin(i + seed);
  });
  return table;
}

for (const helper of [true, false]) {
  for (const minCount of [1, 3]) {
    runEmbeddingCases({
      name: `cqr clustered, helper ${helper}, minCount ${minCount}`,
      make: (seed, runtime) => clustered({ method: 'cqr', parameters: 80, minCount }, helper, seed, runtime),
    });
  }
}

test('quantization is exact where every id may have its own centroid, and loses more with less', async () => {
  const table = make({ method: 'full' }, 3);
  const error = (other: EmbeddingTable): number => {
    const [a, b] = [table, other].map((each) => {
      const out = new Matrix(40, 8, defaultRuntime());
      each.rows(
        Int32Array.from({ length: 40 }, (_, id) => id),
        out,
      );
      return out.data;
    });
    return a!.reduce((sum, value, i) => sum + (value - b![i]!) ** 2, 0);
  };
  for (const quantize of [quantizeProduct, quantizeResidual]) {
    const errors: number[] = [];
    // Exact only where each of the 40 ids may have its own centroid: one stage, or one row of each codebook an id.
    errors.push(
      error(await quantize(table, { parameters: 40 * 8, ...(quantize === quantizeResidual && { stages: 1 }) })),
    );
    for (const parameters of [200, 64]) errors.push(error(await quantize(table, { parameters })));
    assert.ok(errors[0]! < 1e-9 && errors[1]! > errors[0]! && errors[2]! > errors[1]!, `${quantize.name}: ${errors}`);
    const { parameters } = await quantize(table, { bytes: 500 });
    assert.ok(parameters > 0 && (await quantize(table, { bytes: 500 })).sizeBytes() <= 500);
    await assert.rejects(quantize(table, { parameters: 3 }), /budget: expected at least \d+ parameters/);
    await assert.rejects(quantize(table, { parameters: 80, signal: AbortSignal.abort() }), /quantize: interrupted/);
  }
});

test('budgets below the floor name the smallest possible one', () => {
  const context = { vocabularySize: 10_000, dimensions: 8, seed: 1, runtime: defaultRuntime() };
  const ask = (options: EmbeddingOptions) => (): unknown => makeTable(options, context);
  assert.throws(
    ask({ method: 'quotient-remainder', parameters: 700 }),
    /at least 800 parameters for method quotient-remainder, got 700/,
  );
  assert.doesNotThrow(ask({ method: 'quotient-remainder', parameters: 800 }));
  assert.throws(ask({ method: 'hashing-trick', parameters: 7 }), /at least 8 parameters/);
  assert.throws(ask({ method: 'hashing-trick', bytes: 40 }), /at least 48 bytes/);
  assert.throws(
    ask({ method: 'compositional', parameters: 100, columns: 3 }),
    /columns: expected a divisor of 8 dimensions, got 3/,
  );
  assert.throws(
    ask({ method: 'bloom', parameters: Number.NaN }),
    /budget \(parameters\): expected an integer of at least 1, got NaN/,
  );
  assert.throws(ask({ method: 'nothing' } as never), /embedding.method: expected one of full/);
});

test('any tower takes any table by one option, and trains', async () => {
  const words = Array.from({ length: 30 }, (_, i) => `w${i}`);
  const queries = Array.from({ length: 300 }, (_, i) => words[i % 30]!);
  for (const embedding of OPTIONS) {
    const [queryTower, candidateTower] = [1, 2].map((seed) =>
      Tower.create({ vocabulary: words, dimensions: 8, seed, embedding }),
    );
    const model = new TwoTowerModel({ queryTower: queryTower!, candidateTower: candidateTower! });
    const { epochs } = await model.fit({ queries, candidates: queries }, { epochs: 8, batchSize: 100 });
    assert.ok(
      epochs.at(-1)!.perExample < epochs[0]!.perExample - 0.1,
      `${JSON.stringify(embedding)}: ${epochs.at(-1)!.perExample}`,
    );
  }
});
