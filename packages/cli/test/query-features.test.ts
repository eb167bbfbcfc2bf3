/** shortlist query on a bundle of towers over features: a user by the identifier, features as JSON, and what is missing. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { fitRecommender, interactionsOf, SeenItems } from 'shortlist';
import type { FeatureSpecs } from 'shortlist/features';
import { saveBundle } from 'shortlist/node';
import { dictionaryColumn } from 'shortlist/recommenders';
import { temporaryFolder } from './fixtures/files.ts';
import { runCommand } from './fixtures/run-command.ts';

const { folder } = temporaryFolder();

const rows = ['ann a', 'ann b', 'ann c', 'bob b', 'bob c', 'bob d', 'eve d', 'eve a'].map((row) => row.split(' '));
const interactions = interactionsOf({
  users: dictionaryColumn(rows.map(([user]) => user!)),
  items: dictionaryColumn(rows.map(([, item]) => item!)),
});

/** A bundle whose query reads these features beside the history. */
async function bundle(name: string, more: FeatureSpecs): Promise<string> {
  const spec = {
    queryTower: { features: { history: { type: 'sequence', table: 'items', dimensions: 4 }, ...more } },
    candidateTower: { features: { item: { type: 'string', table: 'items' } } },
    dimensions: 4,
  } as const;
  const settings = { dimensions: 4, temperature: 0.1, learningRate: 0.01, epochs: 1 };
  const userFields = { age: interactions.users.vocabulary.map((_, i) => 30 + i) };
  const features = { spec, userFields };
  const { index, model } = await fitRecommender(interactions, { model: 'features', settings }, { features });
  assert.ok(model.kind === 'features');
  const path = join(folder, name);
  const seenItems = SeenItems.fromInteractions(interactions, { seenAsHistory: 'never' });
  await saveBundle(path, { index, candidateTower: model.candidateTower, seenItems });
  return path;
}

test('a user by the identifier has the seen items as the history; other features are given as JSON', async () => {
  const plain = await bundle('plain.shortlist', { user: { type: 'string', dimensions: 2 } });
  const named = await runCommand('query', plain, 'ann', '--k', '4', '--json');
  assert.equal(named.code, 0, named.stderr);
  assert.match(named.stderr, /3 items that the user has seen are left out/);
  const given = JSON.stringify({ user: 'ann', history: ['a', 'b', 'c'] });
  const whole = await runCommand('query', plain, given, '--k', '1', '--exclude', 'a,b,c', '--json');
  assert.equal(named.stdout, whole.stdout);
  const only = await bundle('only.shortlist', {});
  const byName = await runCommand('query', only, 'ann', '--k', '1', '--json');
  const byHistory = await runCommand(
    'query',
    only,
    JSON.stringify({ history: ['a', 'b', 'c'] }),
    '--k',
    '1',
    '--exclude',
    'a,b,c',
    '--json',
  );
  assert.equal(byName.stdout, byHistory.stdout);
  const unknown = await runCommand('query', only, 'nobody', '--k', '1');
  assert.match(unknown.stderr, /no items that "nobody" has seen: these are the results of an empty history/);
  const aged = await bundle('aged.shortlist', { age: { type: 'number' } });
  const refused = await runCommand('query', aged, 'ann');
  assert.match(refused.stderr, /query: expected features as JSON with history, age, got "ann" \(ERR_DATA\)/);
  assert.equal((await runCommand('query', aged, JSON.stringify({ history: ['a'], age: 31 }), '--k', '2')).code, 0);
});
