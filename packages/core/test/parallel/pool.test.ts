/** The pool: every item runs once, on one thread or many, through thousands of jobs in a row. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { referenceKernels } from '../../src/kernels/reference/index.ts';
import { modelPool } from '../../src/parallel/model-pool.ts';
import { Runtime } from '../../src/parallel/runtime.ts';
import { Matrix } from '../../src/vectors/matrix.ts';

/** The runtime once all its workers run. */
async function started(runtime: Runtime): Promise<Runtime> {
  const { threads } = runtime.pool;
  const matrix = new Matrix(16, 1, runtime);
  runtime.pool.run('packPanels', 2, 1, matrix.offset, 16, 1, matrix.offset);
  while (runtime.pool.threadsReady < threads) await sleep(10);
  assert.equal(runtime.pool.threadsReady, threads);
  return runtime;
}

test('jobs of changing size give the same bits on 1 and on 3 threads', async () => {
  const one = new Runtime({ variant: 'simd128', threads: 1 });
  const three = await started(new Runtime({ variant: 'simd128', threads: 3 }));
  for (let round = 0; round < 3000; round++) {
    const n = 1 + ((round * 37) % 90);
    const results = [one, three].map((runtime) => {
      const b = new Matrix(n, 3, runtime);
      b.data.forEach((_, i, data) => {
        data[i] = round + i;
      });
      const panels = Math.ceil(n / 8);
      const packed = new Matrix(panels * 8, 3, runtime);
      runtime.pool.run('packPanels', panels, 1 + (round % 3), b.offset, n, 3, packed.offset);
      const copy = packed.data.slice();
      b.free();
      packed.free();
      return copy;
    });
    assert.deepEqual(results[0], results[1]);
  }
  assert.ok(three.pool.jobs > 1000, `expected most jobs to be split, got ${three.pool.jobs}`);
  three.pool.stop();
});

test('a pool that was stopped starts again', async () => {
  const runtime = await started(new Runtime({ variant: 'simd128', threads: 2 }));
  runtime.pool.stop();
  assert.equal(runtime.pool.threadsReady, 1);
  const matrix = new Matrix(16, 1, runtime);
  const packed = new Matrix(16, 1, runtime);
  matrix.data.fill(5);
  runtime.pool.run('packPanels', 2, 1, matrix.offset, 16, 1, packed.offset);
  assert.ok(packed.data.every((value) => value === 5));
  runtime.pool.stop();
});

test('a pool that is stopped while its workers compute finishes what they have, and starts again', async () => {
  const runtime = await started(new Runtime({ variant: 'simd128', threads: 3 }));
  const rows = 40_000;
  const matrix = new Matrix(rows, 3, runtime);
  const packed = new Matrix(rows, 3, runtime);
  for (let round = 0; round < 5; round++) {
    matrix.data.fill(round);
    const done = runtime.pool.runAsync('packPanels', rows / 8, 1, matrix.offset, rows, 3, packed.offset);
    runtime.pool.stop();
    await done;
    assert.ok(packed.data.every((value) => value === round));
    matrix.data.fill(-1);
    // Workers that were told to go may still be on their way: none may be waited for, none may help.
    for (let job = 0; job < 20; job++)
      runtime.pool.run('packPanels', rows / 8, 64, matrix.offset, rows, 3, packed.offset);
    assert.ok(packed.data.every((value) => value === -1));
    while (runtime.pool.threadsReady < 3) await sleep(1);
    assert.equal(runtime.pool.threadsReady, 3);
  }
  runtime.pool.stop();
  assert.equal(runtime.pool.threadsReady, 1);
});

test('workers that started before the kernels of models were loaded are replaced by workers that have them', async () => {
  const runtime = await started(new Runtime({ variant: 'simd128', threads: 3 }));
  const rows = 4_000;
  const at = runtime.heap.allocate(4 * rows);
  at.integers(rows).set(Array.from({ length: rows }, (_, row) => row % 7));
  // Pointers are 16-bit numbers.
  const from = runtime.heap.allocate(2 * 8);
  from.integers(4).set([70, 72, 74, 76].map((even) => even + (even + 1) * 2 ** 16));
  const out = runtime.heap.allocate(4 * rows);
  const expected = Array.from({ length: rows }, (_, row) => 70 + (row % 7));
  // A search under way: its workers finish it, although they lack the kernel that is loaded meanwhile.
  const matrix = new Matrix(80_000, 3, runtime);
  const packed = new Matrix(80_000, 3, runtime);
  matrix.data.fill(2);
  const search = runtime.pool.runAsync('packPanels', 10_000, 1, matrix.offset, 80_000, 3, packed.offset);
  const pool = modelPool(runtime);
  const pointers = [at.offset, from.offset, 1, 1, 0, out.offset] as const;
  pool.run('readPointers', rows, 7, ...pointers);
  assert.deepEqual([...out.integers(rows)], expected);
  out.integers(rows).fill(0);
  await pool.runAsync('readPointers', rows, 7, ...pointers);
  await search;
  assert.ok(packed.data.every((value) => value === 2));
  assert.deepEqual([...out.integers(rows)], expected);
  while (pool.threadsReady < 3) await sleep(1);
  for (let round = 0; round < 20; round++) {
    out.integers(rows).fill(0);
    await pool.runAsync('readPointers', rows, 7, ...pointers);
    assert.deepEqual([...out.integers(rows)], expected);
  }
  pool.stop();
});

test('a job aside and the jobs that the caller does meanwhile have records of their own', async () => {
  const runtime = new Runtime({ variant: 'simd128', threads: 3 });
  const pool = modelPool(runtime);
  await started(runtime);
  const [rows, d] = [20_000, 8];
  const ids = runtime.heap.allocate(4 * rows);
  ids.integers(rows).set(Array.from({ length: rows }, (_, row) => row));
  const gradients = new Matrix(rows, d, runtime);
  gradients.data.fill(1);
  const step = (parameters: Matrix, state: Matrix, rate: number): Parameters<typeof pool.run<'adamRows'>>[3] => ({
    parameters: parameters.offset,
    state: state.offset,
    rows: ids.offset,
    gradients: gradients.offset,
    stride: d,
    d,
    rate,
    beta1: 0,
    beta2: 0,
    epsilon: 0,
    take1: 1,
    take2: 1,
    all: 0,
    zeros: 0,
  });
  const [far, near] = [new Matrix(rows, d, runtime), new Matrix(4, d, runtime)];
  const [farState, nearState] = [new Matrix(rows, 2 * d + 2, runtime), new Matrix(4, 2 * d + 2, runtime)];
  for (let round = 1; round <= 20; round++) {
    const aside = pool.runAsync('adamRows', rows, 16, step(far, farState, 0.25));
    for (let job = 0; job < 50; job++) pool.run('adamRows', 4, 1, step(near, nearState, 1));
    await aside;
    // With β of 0 and no epsilon a step is the rate.
    assert.ok(far.data.every((value) => value === -0.25 * round));
    assert.ok(near.data.every((value) => value === -50 * round));
  }
  runtime.pool.stop();
});

test('runtimes that share their threads run jobs on memories of their own, also one that joins later', async () => {
  const main = await started(new Runtime({ variant: 'simd128', threads: 3 }));
  const [n, d] = [4_000, 3];
  const panels = n / 8;
  const check = async (runtime: Runtime, value: number, isAside: boolean): Promise<void> => {
    const matrix = new Matrix(n, d, runtime);
    const packed = new Matrix(n, d, runtime);
    matrix.data.fill(value);
    const { pool } = runtime;
    if (isAside) await pool.runAsync('packPanels', panels, 1, matrix.offset, n, d, packed.offset);
    else pool.run('packPanels', panels, 1, matrix.offset, n, d, packed.offset);
    assert.ok(packed.data.every((each) => each === value));
    matrix.free();
    packed.free();
  };
  const others: Runtime[] = [];
  for (let round = 1; round <= 3; round++) {
    const other = new Runtime({}, main);
    assert.notEqual(other.heap.memory.memory.buffer, main.heap.memory.memory.buffer);
    assert.equal(other.pool.team, main.pool.team);
    others.push(other);
    for (const isAside of [false, true]) {
      await Promise.all([main, ...others].map((runtime, i) => check(runtime, 10 * round + i, isAside)));
    }
    // The threads that know the new memory have taken over.
    while (main.pool.threadsReady < 3) await sleep(1);
    const before = main.pool.jobs;
    for (const isAside of [false, true]) {
      await Promise.all([main, ...others].map((runtime, i) => check(runtime, 20 * round + i, isAside)));
    }
    assert.ok(main.pool.jobs >= before + 2 * (others.length + 1), 'jobs on every memory are split');
  }
  others[0]!.pool.leave();
  await check(others[1]!, 7, true);
  main.pool.stop();
});

test('a runtime beside one with the reference kernels has them too', () => {
  const main = new Runtime({ kernels: referenceKernels });
  const other = new Runtime({}, main);
  assert.equal(other.variant, 'reference');
  const matrix = new Matrix(16, 1, other);
  const packed = new Matrix(16, 1, other);
  matrix.data.fill(3);
  other.pool.run('packPanels', 2, 1, matrix.offset, 16, 1, packed.offset);
  assert.ok(packed.data.every((value) => value === 3));
});
