/** The top-k kernels: what a buffer keeps, on every variant. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { finiteScore } from '../../src/kernels/reference/finite-score.ts';
import type { Runtime } from '../../src/parallel/runtime.ts';
import { bufferBytes, bufferCapacity } from '../../src/topk/brute-force/panel-search.ts';
import { VARIANTS } from './variants.ts';

/** Offer scores to buffers in turn, 16 rows each, merge them and return what is kept. */
function keep(runtime: Runtime, scores: readonly number[], k: number, slots: number, mask?: Uint8Array, shift = 0) {
  const { heap, kernels } = runtime;
  const padded = Math.ceil(scores.length / 16) * 16;
  const stride = bufferBytes(k);
  const buffers = heap.allocate(stride * slots);
  const values = heap.allocate(padded * 4);
  const bits = heap.allocate(padded / 8 + 1);
  const out = heap.allocate(8 * k + 4);
  values.floats(padded).set(scores);
  if (mask) bits.bytes().set(mask);
  kernels.resetBuffers(buffers.offset, slots, stride, k, bufferCapacity(k));
  for (let row = 0, turn = 0; row < scores.length; row += 16, turn++) {
    const buffer = buffers.offset + (turn % slots) * stride;
    const panels = Math.ceil(Math.min(16, scores.length - row) / 8);
    kernels.offerPanels(buffer, values.offset + row * 4, panels, row, scores.length, shift, mask ? bits.offset : 0);
  }
  const { offset } = out;
  kernels.finishBuffers(0, 1, 0, buffers.offset, stride, stride, slots, k, offset, offset + 4 * k, offset + 8 * k);
  const count = out.integers(1, 8 * k)[0]!;
  const kept = {
    scores: [...out.floats(count)],
    rows: [...out.integers(count, 4 * k)],
    rest: [...out.integers(k - count, 4 * (k + count))],
  };
  for (const block of [buffers, values, bits, out]) block.free();
  return kept;
}

for (const { variant, runtime, skip } of VARIANTS) {
  test(`top-k buffer, ${variant}: known answer`, { skip }, () => {
    const { NaN: nan, NEGATIVE_INFINITY: low, POSITIVE_INFINITY: high } = Number;
    assert.deepEqual(keep(runtime, [1, nan, 3, -0, low, high, 3], 4, 1), {
      scores: [finiteScore(high), 3, 3, 1],
      rows: [5, 2, 6, 0],
      rest: [],
    });
    assert.deepEqual(keep(runtime, [nan, low, 0, -0, nan], 5, 1, undefined, 100), {
      scores: [0, 0, ...[nan, low, nan].map(finiteScore)],
      rows: [102, 103, 100, 101, 104],
      rest: [],
    });
    assert.deepEqual(keep(runtime, [1, 2, 3, 4, 5, 6, 7, 8, 9], 3, 1, Uint8Array.of(0b0111_1110, 0)).rows, [6, 5, 4]);
  });

  test(`top-k buffer, ${variant}: equal to a sort`, { skip }, () => {
    const value = fc.oneof(
      fc.integer({ min: -3, max: 3 }),
      fc.float(),
      fc.constantFrom(0, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY),
    );
    fc.assert(
      fc.property(
        fc.array(value, { minLength: 1, maxLength: 600 }),
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 1, max: 3 }),
        (scores, k, slots) => {
          const expected = scores
            .map((score, row) => ({ score: score + 0, row }))
            .map(({ score, ...others }) => ({ ...others, score: finiteScore(score) }))
            .sort((a, b) => (a.score === b.score ? a.row - b.row : b.score > a.score ? 1 : -1))
            .slice(0, k);
          const kept = keep(runtime, scores, k, slots);
          assert.deepEqual(
            kept.rows,
            expected.map(({ row }) => row),
          );
          assert.deepEqual(
            kept.scores,
            expected.map(({ score }) => score),
          );
        },
      ),
      { numRuns: 300, seed: 3 },
    );
  });

  test(`findNotFinite, ${variant}`, { skip }, () => {
    const block = runtime.heap.allocate(4 * 40);
    for (const length of [0, 1, 15, 16, 17, 40]) {
      block.floats(40).fill(3e38);
      assert.equal(runtime.kernels.findNotFinite(block.offset, length), -1);
      for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
        for (let at = 0; at < length; at++) {
          block.floats(40).fill(-3e38);
          block.floats(40)[at] = bad;
          assert.equal(runtime.kernels.findNotFinite(block.offset, length), at);
        }
      }
    }
    block.free();
  });
}
