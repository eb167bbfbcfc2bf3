/**
 * The quick start: trains a two-tower model, indexes the candidates, queries, saves, loads, and queries again.
 *
 *   npm run example quick-start
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BruteForce, StringLookup, Tower, TwoTowerModel } from 'shortlist';
import { syntheticMovieLens } from 'shortlist/datasets';
import { loadBundle, saveBundle } from 'shortlist/node';

const { interactions, movies } = syntheticMovieLens();

const queryTower = Tower.create({ vocabulary: StringLookup.adapt(interactions.userIds).vocabulary });
const candidateTower = Tower.create({ vocabulary: StringLookup.adapt(movies.titles).vocabulary, seed: 43 });
const model = new TwoTowerModel({ queryTower, candidateTower });
const { epochs } = await model.fit({ queries: interactions.userIds, candidates: interactions.titles }, { epochs: 3 });
console.log(`loss per example: ${epochs.map(({ perExample }) => perExample.toFixed(3)).join(' → ')}`);

const index = new BruteForce<string, string>({ queryModel: queryTower, k: 3 });
index.index(candidateTower.embed(movies.titles), movies.titles);
console.log(index.call('42').hits());

const seen = interactions.titles.filter((_, i) => interactions.userIds[i] === '42');
console.log('not seen yet:', index.queryWithExclusions('42', seen).identifiers());

const folder = await mkdtemp(join(tmpdir(), 'shortlist-'));
await saveBundle(join(folder, 'movies.shortlist'), { index });
const loaded = await loadBundle<string, string>(join(folder, 'movies.shortlist'));
console.log('after loading:', loaded.index.call('42').identifiers());
await rm(folder, { recursive: true });
