/** The cases of every embedding table; every method runs them (test/embeddings/tables.test.ts). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TABLES } from '../../src/bundle/registry.ts';
import type { EmbeddingTable } from '../../src/embeddings/contract.ts';
import { loadPart, readSaved } from '../../src/format/part.ts';
import { containerSections, SETTINGS_SECTION } from '../../src/format/saved.ts';
import { bytesSource } from '../../src/format/source.ts';
import { toBytes } from '../../src/format/writer.ts';
import { Sgd } from '../../src/optimizers/sgd.ts';
import { Runtime } from '../../src/parallel/runtime.ts';
import { Generator } from '../../src/random/generator.ts';
import { Matrix } from '../../src/vectors/matrix.ts';

const DIMENSIONS = 8;
const VOCABULARY = 40;

/** A method under test. */
export interface EmbeddingCase {
  name: string;
  make(seed: number, runtime: Runtime): EmbeddingTable | Promise<EmbeddingTable>;
}

const runtimes = [1, 2, 3].map((threads) => new Runtime({ threads }));

function vectors(table: EmbeddingTable, ids: Int32Array, runtime: Runtime): number[][] {
  const out = new Matrix(ids.length, DIMENSIONS, runtime);
  table.rows(ids, out);
  return Array.from(ids, (_, i) => [...out.row(i)]);
}

const everyId = Int32Array.from({ length: VOCABULARY }, (_, i) => i);

/** The container of a table, and the table read back from it. */
async function roundTrip(table: EmbeddingTable, runtime: Runtime): Promise<{ bytes: number; loaded: EmbeddingTable }> {
  const sections = containerSections(table.save());
  const bytes = toBytes(sections, runtime);
  const loaded = await readSaved(bytesSource(bytes), (part) => loadPart(part, TABLES), runtime);
  const pieces = sections.filter(({ name }) => name !== SETTINGS_SECTION).flatMap((section) => section.pieces);
  return { bytes: pieces.reduce((sum, piece) => sum + piece.byteLength, 0), loaded };
}

/** Run the cases of one method. */
export function runEmbeddingCases({ name, make }: EmbeddingCase): void {
  const runtime = runtimes[0]!;

  test(`${name}: every id has a finite vector, the same for the same seed, another for another`, async () => {
    const table = await make(1, runtime);
    assert.equal(table.vocabularySize, VOCABULARY);
    assert.equal(table.dimensions, DIMENSIONS);
    const got = vectors(table, everyId, runtime);
    assert.ok(got.flat().every(Number.isFinite) && got.flat().some((value) => value !== 0));
    assert.deepEqual(vectors(await make(1, runtime), everyId, runtime), got);
    assert.notDeepEqual(vectors(await make(2, runtime), everyId, runtime), got);
    const some = Int32Array.of(7, 0, 39, 7);
    assert.deepEqual(
      vectors(table, some, runtime),
      Array.from(some, (id) => got[id]!),
    );
  });

  test(`${name}: a gradient step is the derivative of the vectors`, async () => {
    const ids = Int32Array.of(0, 3, 17, 39);
    const generator = new Generator(5);
    const weights = new Matrix(ids.length, DIMENSIONS, runtime);
    weights.data.forEach((_, i, data) => {
      data[i] = generator.normal();
    });
    const loss = (table: EmbeddingTable): number =>
      vectors(table, ids, runtime)
        .flat()
        .reduce((sum, value, i) => sum + value * weights.data[i]!, 0);
    const stepped = await make(3, runtime);
    const before = stepped.trained().map(({ data }) => data.slice());
    stepped.applyGradient(ids, weights, new Sgd({ learningRate: 1 }));
    const probed = await make(3, runtime);
    // Small beside the distance of any unit from its kink.
    const size = 2 ** -10;
    probed.trained().forEach(({ data }, m) => {
      for (let i = 0; i < data.length; i++) {
        const start = data[i]!;
        data[i] = start + size;
        const above = loss(probed);
        data[i] = start - size;
        const below = loss(probed);
        data[i] = start;
        const expected = (above - below) / (2 * size);
        const got = before[m]![i]! - stepped.trained()[m]!.data[i]!;
        assert.ok(Math.abs(got - expected) < 2e-3 * (1 + Math.abs(expected)), `${m}[${i}]: ${got}, not ${expected}`);
      }
    });
  });

  test(`${name}: the same bits on 1, 2 and 3 threads`, async () => {
    const ids = Int32Array.from({ length: VOCABULARY }, (_, i) => (i * 7) % VOCABULARY);
    const runs: number[][][] = [];
    for (const threads of runtimes) {
      const table = await make(4, threads);
      const gradients = new Matrix(VOCABULARY, DIMENSIONS, threads);
      gradients.data.forEach((_, i, data) => {
        data[i] = Math.sin(i);
      });
      table.applyGradient(ids, gradients, new Sgd({ learningRate: 0.1 }));
      runs.push(vectors(table, everyId, threads));
    }
    assert.deepEqual(runs[1], runs[0]);
    assert.deepEqual(runs[2], runs[0]);
  });

  test(`${name}: sizeBytes is what save writes, and what is loaded has the same vectors and learns`, async () => {
    const table = await make(6, runtime);
    const { bytes, loaded } = await roundTrip(table, runtime);
    assert.equal(table.sizeBytes(), bytes);
    assert.equal(loaded.method, table.method);
    assert.equal(loaded.parameters, table.parameters);
    assert.deepEqual(vectors(loaded, everyId, runtime), vectors(table, everyId, runtime));
    const gradients = new Matrix(1, DIMENSIONS, runtime);
    gradients.data.fill(1);
    for (const each of [table, loaded]) each.applyGradient(Int32Array.of(5), gradients, new Sgd({ learningRate: 0.5 }));
    assert.deepEqual(vectors(loaded, everyId, runtime), vectors(table, everyId, runtime));
  });

  test(`${name}: ids that no row belongs to are refused`, async () => {
    const out = new Matrix(1, DIMENSIONS, runtime);
    const table = await make(1, runtime);
    for (const id of [-1, VOCABULARY]) {
      assert.throws(() => table.rows(Int32Array.of(id), out), /ids: expected integers from 0 to 39, got/);
    }
  });
}
