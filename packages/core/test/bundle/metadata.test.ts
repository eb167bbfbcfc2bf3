/** Metadata and paths for which the runtime alone would give an error without a name. */
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { loadBundle, saveBundle } from '../../src/entries/node.ts';
import { BruteForce, bundleToBytes } from '../../src/index.ts';

const index = new BruteForce<never, string>().index([[1, 0]], ['a']);

function nested(levels: number, wrap: (inner: unknown) => unknown): unknown {
  let value: unknown = 1;
  for (let i = 0; i < levels; i++) value = wrap(value);
  return value;
}

test('metadata that is nested too deeply, contains itself or is no JSON is refused, and nothing is written', async () => {
  const own: Record<string, unknown> = {};
  own.own = own;
  const folder = mkdtempSync(join(tmpdir(), 'shortlist-metadata-'));
  for (const value of [nested(20_000, (inner) => ({ inner })), nested(20_000, (inner) => [inner]), own, 1n]) {
    const contents = { index, metadata: { value } } as never;
    for (const nonBlocking of [false, true]) {
      await assert.rejects(saveBundle(join(folder, 'x.shortlist'), contents, { nonBlocking }), {
        code: 'ERR_OPTION',
        message: /^metadata: /,
      });
    }
    assert.throws(() => bundleToBytes(contents), { code: 'ERR_OPTION' });
  }
  assert.deepEqual(readdirSync(folder), []);
  const metadata = { value: nested(500, (inner) => [{ inner }].slice()) } as never;
  assert.throws(() => bundleToBytes({ index, metadata } as never), /metadata: /);
  const deep = { value: nested(900, (inner) => [inner]) };
  await saveBundle(join(folder, 'deep.shortlist'), { index, metadata: deep } as never);
  assert.deepEqual((await loadBundle(join(folder, 'deep.shortlist'))).metadata, deep);
});

test('a path with a NUL is refused by the library', async () => {
  const path = join(tmpdir(), 'a\0b');
  await assert.rejects(saveBundle(path, { index } as never), {
    code: 'ERR_IO',
    message: /expected a path without NUL/,
  });
  await assert.rejects(loadBundle(path), { code: 'ERR_IO', message: /expected a path without NUL/ });
});
