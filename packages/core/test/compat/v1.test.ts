/** Files of version 1 can always be loaded and give the results that they gave. v1/make.ts made them. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { loadBundle, loadCheckpoint } from '../../src/bundle/save.ts';
import { bestVariant } from '../../src/kernels/wasm.ts';
import { USERS } from '../bundle/worlds.ts';
import { DEEP_FEATURES, hits } from './answers.ts';

/** Beside the sources: the build holds only compiled files. */
const FOLDER = fileURLToPath(new URL('../../../test/compat/v1', import.meta.url));
const EXPECTED = JSON.parse(readFileSync(join(FOLDER, 'expected.json'), 'utf8')) as Record<string, unknown>;

for (const [name, expected] of Object.entries(EXPECTED)) {
  test(`version 1: ${name}`, async () => {
    const path = join(FOLDER, name);
    if (name.endsWith('.checkpoint')) {
      const { epochs, arrays, epoch } = await loadCheckpoint(path);
      assert.equal(epoch, 1);
      const sums = arrays.map((array) => array.reduce((sum, x) => sum + x, 0));
      assert.deepEqual({ epochs, sums }, expected);
      return;
    }
    const { index, metadata } = await loadBundle<string | (typeof DEEP_FEATURES)[0]>(path);
    const queries = name.startsWith('deep') ? DEEP_FEATURES : USERS.slice(0, 3);
    const answers = queries.map((query) => hits(index.call(query)));
    if (name.startsWith('deep') && bestVariant() === 'relaxed') assertNear(answers, expected as typeof answers);
    else assert.deepEqual(answers, expected);
    if (!name.startsWith('deep')) assert.deepEqual(metadata, { name: 'test', seed: 1, tags: ['a', { b: null }] });
  });
}

/** Dense layers multiply and add in one step where the machine can (docs/decisions/fused-products.md): other last bits. */
function assertNear(answers: Answers, expected: Answers): void {
  assert.deepEqual(answers.map(withoutScores), expected.map(withoutScores));
  const scores = expected.flat().map(([, , score]) => score);
  answers.flat().forEach(([, , score], i) => assert.ok(Math.abs(score - scores[i]!) < 1e-6, `${score}, ${scores[i]}`));
}

type Answers = ReturnType<typeof hits>[];

function withoutScores(found: Answers[number]): string[][] {
  return found.map(([type, identifier]) => [type, identifier]);
}
