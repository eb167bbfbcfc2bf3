/** Bundles with packed identifiers, and one in segments, can always be loaded and give the results that they gave. packed/make.ts made them. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { answersOf } from './answers.ts';

/** Beside the sources: the build holds only compiled files. */
const FOLDER = fileURLToPath(new URL('../../../test/compat/packed', import.meta.url));
const EXPECTED = JSON.parse(readFileSync(join(FOLDER, 'expected.json'), 'utf8')) as Record<string, unknown>;

for (const [name, expected] of Object.entries(EXPECTED)) {
  test(`packed identifiers: ${name}`, async () => {
    assert.deepEqual(await answersOf(readFileSync(join(FOLDER, name))), expected);
  });
}
