/**
 * Made the files of this folder, once, when int8 rows had a scale of each dimension and no factor of each row. They are never made
 * again: what they hold must load for ever.
 *
 *   npm run build && node packages/core/build/test/compat/scaled-rows/make.js packages/core/test/compat/scaled-rows
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bundleToBytes } from '../../../src/bundle/bundle.ts';
import { Runtime } from '../../../src/parallel/runtime.ts';
import { ScaNN } from '../../../src/topk/scann/scann.ts';
import { vectors } from '../../bundle/worlds.ts';
import { answersOf } from '../answers.ts';

const folder = process.argv[2]!;
const runtime = new Runtime({ threads: 1 });
const lines: string[] = [];
for (const distanceMeasure of ['dot_product', 'squared_l2'] as const) {
  const options = { distanceMeasure, reorder: 'int8', tree: 'always', numLeaves: 3, numLeavesToSearch: 3 } as const;
  const index = new ScaNN<Float32Array, number>({ ...options, k: 5, minLeafSize: 2, trainingIterations: 2, runtime });
  const matrix = vectors(30, 5, 2, runtime);
  const rows = Array.from({ length: 30 }, (_, row) => matrix.row(row).slice());
  index.index(rows.slice(0, 25));
  index.upsert([25, 26, 27, 28, 29], rows.slice(25));
  const name = `${distanceMeasure}.shortlist`;
  const bytes = bundleToBytes({ index });
  writeFileSync(join(folder, name), bytes);
  lines.push(`  ${JSON.stringify(name)}: ${JSON.stringify(await answersOf(bytes))}`);
}
writeFileSync(join(folder, 'expected.json'), `{\n${lines.join(',\n')}\n}\n`);
