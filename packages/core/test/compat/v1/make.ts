/**
 * Made the files of this folder, once, when version 1 was released. They are never made again: what they hold must load
 * for ever, so a change of the format makes v2/ beside it.
 *
 *   npm run build && node packages/core/build/test/compat/v1/make.js packages/core/test/compat/v1
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bundleToBytes } from '../../../src/bundle/bundle.ts';
import { checkpointToBytes } from '../../../src/bundle/checkpoint.ts';
import { Runtime } from '../../../src/parallel/runtime.ts';
import { takeCheckpoint } from '../../../src/retrieval/checkpoint.ts';
import { TwoTowerModel } from '../../../src/retrieval/model.ts';
import { BruteForce } from '../../../src/topk/brute-force/brute-force.ts';
import { deepTower, IDENTIFIERS, TITLES, USERS, vectors, world } from '../../bundle/worlds.ts';
import { DEEP_FEATURES, hits } from '../answers.ts';

const folder = process.argv[2]!;
const runtime = new Runtime({ threads: 1 });
const expected: Record<string, unknown> = {};

for (const [what, identifiers] of Object.entries(IDENTIFIERS)) {
  const name = `${what.replaceAll(' ', '-')}.shortlist`;
  const contents = world(runtime, { identifiers });
  writeFileSync(join(folder, name), bundleToBytes(contents));
  expected[name] = USERS.slice(0, 3).map((user) => hits(contents.index.call(user)));
}

const index = new BruteForce({ queryModel: deepTower(runtime), runtime }).index(vectors(9, 5, 2, runtime));
writeFileSync(join(folder, 'deep-tower.shortlist'), bundleToBytes({ index }));
expected['deep-tower.shortlist'] = DEEP_FEATURES.map((features) => hits(index.call(features)));

const model = new TwoTowerModel(world(runtime));
const dataset = { queries: USERS, candidates: TITLES.slice(0, USERS.length) };
const { epochs } = await model.fit(dataset, { validation: { dataset }, clock: () => 0 });
const checkpoint = takeCheckpoint(model, { epoch: 1, step: 0, losses: [0, 0, 0, 0, 0], epochs, best: undefined });
writeFileSync(join(folder, 'run.checkpoint'), checkpointToBytes(checkpoint, runtime));
expected['run.checkpoint'] = { epochs, sums: checkpoint.arrays.map((array) => array.reduce((sum, x) => sum + x, 0)) };

const lines = Object.entries(expected).map(([name, value]) => `  ${JSON.stringify(name)}: ${JSON.stringify(value)}`);
writeFileSync(join(folder, 'expected.json'), `{\n${lines.join(',\n')}\n}\n`);
