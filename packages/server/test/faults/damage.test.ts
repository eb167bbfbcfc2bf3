/**
 * The file of the version that serves is damaged on disk: queries continue, and loading it again is refused with the
 * reason.
 */
import assert from 'node:assert/strict';
import { readFileSync, truncateSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { ShortlistServer } from '../../src/index.ts';
import { fetchUnpooled, post, startTiny, tinyBasePath } from '../fixtures/tiny-bundle.ts';
import { isThorough } from '../thorough.ts';

const QUESTIONS: readonly object[] = [
  { query: 'u1', k: 60 },
  { embedding: [1, -1, 0.5, 0.25], k: 9, filter: { equals: { genre: 'drama' } } },
  { query: 'u9', exclude: ['film1', 'film2'] },
];

async function answers(server: ShortlistServer): Promise<unknown[]> {
  const asked = await Promise.all(QUESTIONS.map((question) => post(server, '/v1/shortlist', question)));
  return asked.map(({ status, body }) => [status, (body as { results?: unknown }).results]);
}

async function versionStates(server: ShortlistServer): Promise<[string, string, string][]> {
  const status = await fetchUnpooled(`http://127.0.0.1:${server.httpPort}/v1/models/films`);
  const { model_version_status } = (await status.json()) as {
    model_version_status: { version: string; state: string; status: { error_message: string } }[];
  };
  return model_version_status.map(({ version, state, status }) => [version, state, status.error_message]);
}

/** Damage the bytes of a file in place; what a later load says about them. */
const DAMAGES: Readonly<Record<string, { damage: (path: string) => void; reason: RegExp }>> = {
  'a flipped bit': {
    damage: (path) => {
      const bytes = readFileSync(path);
      bytes[bytes.length >> 1]! ^= 1;
      writeFileSync(path, bytes);
    },
    reason: /checksum/,
  },
  'a file cut in half': {
    damage: (path) => truncateSync(path, readFileSync(path).length >> 1),
    reason: /cut off|ends|byte/,
  },
  'an empty file': { damage: (path) => truncateSync(path, 0), reason: /cut off|ends|byte/ },
  'a deleted file': { damage: unlinkSync, reason: /expected one \.shortlist file, got 0/ },
};

const EVERY_DAMAGE = Object.keys(DAMAGES);
/** In two processes a damage costs the start of two more: the usual run has one whose file is read and one without a file. */
const KINDS: readonly { scann: boolean; processes: number; damages: readonly string[] }[] = [
  { scann: false, processes: 1, damages: EVERY_DAMAGE },
  { scann: true, processes: 2, damages: isThorough ? EVERY_DAMAGE : ['a flipped bit', 'a deleted file'] },
];

for (const { scann, processes, damages } of KINDS) {
  test(`a damaged file under a served ${scann ? 'ScaNN in two processes' : 'BruteForce'}: answers stay, a load refuses, a mended file serves`, async (t) => {
    const basePath = await tinyBasePath({ scann });
    const path = join(basePath, '1', 'model.shortlist');
    const whole = readFileSync(path);
    // The server that serves the mended file is the next one under which it is damaged.
    let server = await startTiny(basePath, { processes });
    const before = await answers(server);
    for (const what of damages) {
      const { damage, reason } = DAMAGES[what]!;
      await t.test(what, async () => {
        damage(path);
        await server.registry.models[0]!.reconcile();
        assert.deepEqual(await answers(server), before);
        assert.deepEqual(await versionStates(server), [['1', 'AVAILABLE', '']]);

        // Loaded again: refused with the reason, here and in the status.
        assert.equal((await post(server, '/v2/repository/models/films/unload', {})).status, 200);
        const { status, body } = await post(server, '/v2/repository/models/films/load', {});
        assert.equal(status, 400);
        assert.match((body as { error: string }).error, reason);
        await server.close();
        server = await startTiny(basePath, { processes });
        assert.equal(server.isReady, false);
        const [[version, state, message]] = (await versionStates(server)) as [[string, string, string]];
        assert.deepEqual([version, state], ['1', 'END']);
        assert.match(message, reason);
        assert.equal((await post(server, '/v1/shortlist', QUESTIONS[0])).status, 404);

        writeFileSync(path, whole);
        await server.registry.models[0]!.load();
        assert.deepEqual(await answers(server), before);
      });
    }
    await server.close();
  });
}

test('a version whose file was damaged can be compacted: the next one is written from memory', async () => {
  const basePath = await tinyBasePath();
  let server = await startTiny(basePath);
  // A version without updates would not be copied.
  const update = { candidates: [{ id: 'film1', embedding: [9, 9, 9, 9] }] };
  assert.equal((await post(server, '/v1/candidates/upsert', update)).status, 200);
  const before = await answers(server);
  truncateSync(join(basePath, '1', 'model.shortlist'), 100);
  assert.equal((await post(server, '/admin/models/films/compact', {})).status, 200);
  assert.deepEqual(await answers(server), before);
  await server.close();
  server = await startTiny(basePath);
  assert.deepEqual(await answers(server), before);
  assert.deepEqual((await versionStates(server))[0], ['2', 'AVAILABLE', '']);
  await server.close();
});
