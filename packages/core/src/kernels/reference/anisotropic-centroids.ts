/** Readable form of packages/core/assembly/anisotropic-centroids.ts, in float32 in the same order. */
import type { LinearMemory } from '../../memory/linear-memory.ts';
import { ANISOTROPIC_CENTROIDS, type AnisotropicCentroidsKernels } from '../families/anisotropic-centroids.ts';
import { readRecord } from '../record.ts';

const RESIDUAL: number = Math.fround(1e-13);
const STEPS_MAX = 64;

/** The anisotropic-centroids kernel over `memory`. */
export function anisotropicCentroidsReference(memory: LinearMemory): AnisotropicCentroidsKernels {
  const { fround } = Math;
  const dot = (a: Float32Array, b: Float32Array): number => {
    const lanes = [0, 0, 0, 0];
    const wide = a.length & ~3;
    for (let t = 0; t < wide; t++) lanes[t & 3] = fround(lanes[t & 3]! + fround(a[t]! * b[t]!));
    let sum = fround(fround(lanes[0]! + lanes[2]!) + fround(lanes[1]! + lanes[3]!));
    for (let t = wide; t < a.length; t++) sum = fround(sum + fround(a[t]! * b[t]!));
    return sum;
  };
  const addMultiple = (to: Float32Array, factor: number, x: Float32Array): void => {
    for (let t = 0; t < to.length; t++) to[t] = to[t]! + fround(factor * x[t]!);
  };
  return {
    anisotropicCentroids(begin, end, _slot, address) {
      const { rows, d, leafBegin, order, membersMax, coefficients, centroids, sums } = readRecord(
        memory,
        ANISOTROPIC_CENTROIDS,
        address,
      );
      const { floats, integers } = memory;
      const totals = new Float64Array(floats.buffer, sums);
      for (let leaf = begin; leaf < end; leaf++) {
        const first = integers[leafBegin / 4 + leaf]!;
        const last = integers[leafBegin / 4 + leaf + 1]!;
        const step = Math.max(1, Math.ceil((last - first) / membersMax));
        const c = floats.subarray(centroids / 4 + leaf * d, centroids / 4 + (leaf + 1) * d);
        const members: { x: Float32Array; a: number; b: number }[] = [];
        for (let i = first; i < last; i += step) {
          const x = rows / 4 + integers[order / 4 + i]! * d;
          const at = coefficients / 4 + 2 * i;
          members.push({ x: floats.subarray(x, x + d), a: floats[at]!, b: floats[at + 1]! });
        }
        const residual = new Float32Array(d);
        for (const { x, a } of members) addMultiple(residual, a, x);
        let square = dot(residual, residual);
        if (square > 0) {
          const direction = residual.slice();
          c.fill(0);
          const limit = fround(square * RESIDUAL);
          for (let done = 0; done < STEPS_MAX && square > limit; done++) {
            const image = direction.slice();
            for (const { x, b } of members) addMultiple(image, fround(b * dot(x, direction)), x);
            const length = fround(square / dot(direction, image));
            addMultiple(c, length, direction);
            addMultiple(residual, -length, image);
            const next = dot(residual, residual);
            const turn = fround(next / square);
            for (let t = 0; t < d; t++) direction[t] = residual[t]! + fround(turn * direction[t]!);
            square = next;
          }
        }
        let products = 0;
        for (const { x } of members) products += dot(x, c);
        totals[2 * leaf] = products * step;
        totals[2 * leaf + 1] = dot(c, c) * members.length * step;
      }
    },
  };
}
