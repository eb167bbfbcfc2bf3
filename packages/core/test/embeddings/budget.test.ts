/** Budgets of every method: the largest table that fits, refusals, and budgets above the full table's size. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { OnWarning } from '../../src/checks/warning.ts';
import { cluster } from '../../src/embeddings/cluster.ts';
import type { EmbeddingTable } from '../../src/embeddings/contract.ts';
import { Cqr } from '../../src/embeddings/cqr.ts';
import { type EmbeddingOptions, makeTable } from '../../src/embeddings/make-table.ts';
import { quantizeProduct } from '../../src/embeddings/product.ts';
import { quantizeResidual } from '../../src/embeddings/residual.ts';
import { defaultRuntime } from '../../src/parallel/runtime.ts';
import { Tower } from '../../src/towers/tower.ts';

type Unit = 'bytes' | 'parameters';
type Make = (vocabularySize: number, budget: Partial<Record<Unit, number>>) => Promise<EmbeddingTable>;

const D = 8;
const SHAPES: Record<string, object> = {
  'hashing-trick': {},
  bloom: { sums: 3 },
  compositional: { columns: 2 },
  unified: {},
  'quotient-remainder': { combine: 'add' },
  'hash-embeddings': { sums: 3 },
  robe: { columns: 2 },
  dhe: {},
  cqr: { columns: 2 },
};
const silent: { onWarning: OnWarning } = { onWarning: () => {} };

function make(method: string, vocabularySize: number, budget: object, onWarning = silent.onWarning): EmbeddingTable {
  const options = { method, ...SHAPES[method], ...budget } as EmbeddingOptions;
  return makeTable(options, { vocabularySize, dimensions: D, seed: 1, runtime: defaultRuntime(), onWarning });
}

const quantized =
  (quantize: (table: EmbeddingTable, options: never) => Promise<EmbeddingTable>): Make =>
  async (vocabularySize, budget) => {
    const options = { ...budget, ...silent, iterations: 1 };
    return quantize(make('full', vocabularySize, {}), options as never);
  };

const MAKES: Record<string, Make> = {
  ...Object.fromEntries(
    Object.keys(SHAPES).map((method): [string, Make] => [
      method,
      async (vocabularySize, budget) => make(method, vocabularySize, budget),
    ]),
  ),
  product: quantized(quantizeProduct),
  residual: quantized(quantizeResidual),
};

/** The whole cost in a unit; of a CQR table with the pointers that its first clustering makes. */
async function sizeOf(table: EmbeddingTable, unit: Unit): Promise<number> {
  if (unit === 'parameters') return table.parameters;
  if (table instanceof Cqr && table.clusterings === 0) await cluster(table, { iterations: 1 });
  return table.sizeBytes();
}

for (const [method, create] of Object.entries(MAKES)) {
  test(`${method}: a table of the largest size that fits its budget, whatever that is`, async () => {
    const unit = fc.constantFrom<Unit>('bytes', 'parameters');
    const property = fc.asyncProperty(fc.integer({ min: 50, max: 300 }), unit, fc.nat(), async (ids, unit, draw) => {
      const full = ids * D * (unit === 'bytes' ? 4 : 1);
      const budget = 1 + (draw % full);
      const least = await create(ids, { [unit]: budget }).then(
        async (table) => {
          const size = await sizeOf(table, unit);
          assert.ok(size <= budget, `${size} ${unit} of ${budget}`);
          // Any budget between its size and the one given buys the same table: there is none in between.
          for (const other of [size, Math.ceil((size + budget) / 2)]) {
            assert.equal((await create(ids, { [unit]: other })).parameters, table.parameters, `${other} and ${budget}`);
          }
          return 0;
        },
        (error: Error) => Number(/at least (\d+) /.exec(error.message)?.[1]),
      );
      if (least === 0) return;
      assert.ok(least > budget, `refused ${budget}, which is at least ${least}`);
      await create(ids, { [unit]: least });
      await assert.rejects(create(ids, { [unit]: least - 1 }), new RegExp(`at least ${least} ${unit}`));
    });
    await fc.assert(property, { numRuns: 40 });
  });
}

/** The definition, tried one k after the other. */
function largestK(ids: number, dimensions: number, columns: number, bytes: number): number {
  let largest = 0;
  for (let k = 1; k <= 32_768; k++) {
    const pointers = Math.ceil((ids * columns * Math.max(1, Math.ceil(Math.log2(k)))) / 8);
    if (4 * 2 * dimensions * k + pointers + 2 * columns * 16 <= bytes) largest = k;
  }
  return largest;
}

test('CQR takes the most rows whose pointers fit too', () => {
  const of = (ids: number, bytes: number): number =>
    Cqr.create({ bytes }, { vocabularySize: ids, dimensions: 32, seed: 1, runtime: defaultRuntime() }).rowsPerTable;
  for (const [ids, bytes, rows] of [
    [5_000_000, 40e6, 16_384],
    [2_000_000, 16e6, 0],
    [1_000_000, 6e6, 0],
    [1_000_000, 8e6, 5_858],
    [200_000, 1e6, 0],
    [100_000, 0.8e6, 1_024],
  ] as const) {
    const expected = largestK(ids, 32, 4, bytes);
    assert.equal(of(ids, bytes), expected, `${ids} ids in ${bytes} bytes`);
    if (rows > 0) assert.equal(expected, rows);
    assert.ok(expected > 100);
  }
  const property = fc.property(fc.integer({ min: 100, max: 3e5 }), fc.integer({ min: 1, max: 100 }), (ids, percent) => {
    const bytes = Math.floor((4 * 32 * ids * percent) / 100);
    const expected = largestK(ids, 32, 4, bytes);
    if (expected > 0) assert.equal(of(ids, bytes), expected);
  });
  fc.assert(property, { numRuns: 15 });
});

test('parameters and bytes together, or neither, are refused by every method', async () => {
  for (const [method, create] of Object.entries(MAKES)) {
    await assert.rejects(create(60, { parameters: 200, bytes: 800 }), /got 200 parameters and 800 bytes/, method);
    await assert.rejects(create(60, {}), /budget: expected a number of parameters or of bytes, got neither/, method);
  }
});

test("of a budget above the full table's size that size is spent, and one line says so", async () => {
  for (const method of Object.keys(SHAPES)) {
    for (const [unit, full] of [
      ['parameters', 100 * D],
      ['bytes', 4 * 100 * D],
    ] as const) {
      const said: string[] = [];
      const warn = (message: string): void => void said.push(message);
      const atFull = make(method, 100, { [unit]: full }, warn);
      assert.deepEqual(said, []);
      const above = make(method, 100, { [unit]: 10 * full }, warn);
      assert.equal(above.parameters, atFull.parameters, method);
      assert.equal(said.length, 1);
      assert.match(
        said[0]!,
        new RegExp(`^budget: the full table has ${full} ${unit}; of ${10 * full} method ${method}`),
      );
    }
  }
  for (const quantize of [quantizeProduct, quantizeResidual]) {
    const said: string[] = [];
    const warn = (message: string): void => void said.push(message);
    const table = make('full', 100, {});
    const { parameters } = await quantize(table, { parameters: 100 * D });
    assert.equal((await quantize(table, { parameters: 1e6, onWarning: warn })).parameters, parameters);
    assert.equal(said.length, 1);
  }
});

test('a tower hands the warning on; without a taker it goes to the console', (t) => {
  const said: string[] = [];
  const options = { vocabulary: ['a', 'b', 'c'], dimensions: 4 };
  const embedding = { method: 'hashing-trick', parameters: 1000 } as const;
  Tower.create({ ...options, embedding, onWarning: (message) => said.push(message) });
  assert.equal(said.length, 1);
  const warn = t.mock.method(console, 'warn', () => {});
  Tower.create({ ...options, embedding });
  assert.deepEqual(
    warn.mock.calls.map(({ arguments: [line] }) => line),
    [`shortlist: ${said[0]}`],
  );
});
