/** Vectors of candidates by identifier, from every index that holds them, whatever it keeps of a row. */

import { Runtime } from '../../src/parallel/runtime.ts';
import { balancedPca } from '../../src/quantization/pca.ts';
import { BruteForce } from '../../src/topk/brute-force/brute-force.ts';
import type { Identifier } from '../../src/topk/contract.ts';
import type { ScannOptions } from '../../src/topk/scann/options.ts';
import { ScaNN } from '../../src/topk/scann/scann.ts';
import { runCandidateVectorsCases } from '../conformance/candidate-vectors.case.ts';

const runtime = new Runtime({ threads: 1 });

runCandidateVectorsCases({ name: 'BruteForce', make: () => new BruteForce({ runtime }), precision: 'float32' });

const leaves = { tree: 'always', numLeaves: 6, minLeafSize: 2, runtime } as const;
for (const [name, precision, options] of [
  ['with leaves', 'float32', leaves],
  ['without leaves', 'float32', { tree: 'never', runtime }],
  ['with second leaves', 'float32', { ...leaves, soar: 1 }],
  ['that does not reorder', 'float32', { ...leaves, reorder: false }],
  ['of bfloat16', 'bfloat16', { ...leaves, reorder: 'bfloat16' }],
  ['of int8', 'int8', { ...leaves, reorder: 'int8' }],
  ['of int8 without leaves', 'int8', { tree: 'never', reorder: 'int8', runtime }],
  ['of cosine', 'float32', { ...leaves, distanceMeasure: 'cosine' }],
  ['of squared distances', 'float32', { ...leaves, distanceMeasure: 'squared_l2' }],
  ['that rotates', 'float32', { ...leaves, rotation: balancedPca.name }],
] as const satisfies readonly (readonly [string, string, ScannOptions<never>])[]) {
  const isUnitLength = 'distanceMeasure' in options && options.distanceMeasure === 'cosine';
  const make = <I extends Identifier>(): ScaNN<ArrayLike<number>, I> => new ScaNN(options);
  runCandidateVectorsCases({ name: `ScaNN ${name}`, make, precision, isUnitLength });
}
