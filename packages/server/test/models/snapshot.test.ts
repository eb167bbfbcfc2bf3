/** A snapshot of a live model has every update that was acknowledged before it, and serves what the model served. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { until } from '../fixtures/occupied.ts';
import { FILMS, fetchUnpooled, post, saveTinyBundle, startTiny, tinyBasePath } from '../fixtures/tiny-bundle.ts';

const digest = (key: string): string => createHash('sha256').update(key).digest('hex');

for (const [processes, scann] of [
  [1, false],
  [1, true],
  [2, true],
] as const) {
  test(`GET /v1/bundle under updates, restored as another folder: ${processes} at once, ${scann ? 'ScaNN' : 'exact'}`, async () => {
    const basePath = await tinyBasePath({ scann });
    const server = await startTiny(basePath, { processes });
    const url = `http://127.0.0.1:${server.httpPort}/v1/bundle`;
    let sent = 0;
    let isOver = false;
    const updates = (async () => {
      for (; !isOver; sent++) {
        const { status } = await post(server, '/v1/candidates/upsert', {
          candidates: [{ id: `n${sent}`, embedding: [sent, 1, 0, 0], attributes: { genre: 'new' } }],
        });
        assert.equal(status, 200);
      }
    })();
    await until(() => sent > 5);
    for (let taken = 0; taken < 2 * processes; taken++) {
      const before = sent;
      const response = await fetchUnpooled(url);
      assert.equal(response.status, 200);
      const bytes = Buffer.from(await response.arrayBuffer());
      assert.equal(response.headers.get('x-shortlist-version'), '1');
      assert.equal(Number(response.headers.get('content-length')), bytes.length);
      const restored = join(await tinyBasePath(), '2');
      mkdirSync(restored);
      writeFileSync(join(restored, 'model.shortlist'), bytes);
      const other = await startTiny(join(restored, '..'));
      const { body } = await post(other, '/v1/shortlist', { embedding: [0, 0, 0, 1], k: 1000 });
      const { results, version } = body as { results: { id: string; genre: string }[]; version: number };
      assert.equal(version, 2);
      const added = results.filter(({ id }) => id.startsWith('n'));
      assert.ok(added.length >= before, `${added.length} of at least ${before}`);
      assert.equal(results.length, FILMS + added.length);
      assert.ok(added.every(({ genre }) => genre === 'new'));
      // Of one moment: no update without those before it.
      for (let i = 0; i < added.length; i++) assert.ok(added.some(({ id }) => id === `n${i}`));
      await other.close();
    }
    isOver = true;
    await updates;
    await until(() => readdirSync(basePath).join() === '1');
    await server.close();
  });
}

test('a snapshot needs a key that may change the model, a known model, and one that serves', async () => {
  const basePath = await tinyBasePath();
  await saveTinyBundle(join(basePath, '1'));
  const keys = [
    { name: 'r', sha256: digest('reads'), role: 'read' },
    { name: 'w', sha256: digest('writes'), role: 'write' },
  ] as const;
  // Of two processes one is the server itself, which answers as a single one does: five requests a round reach both.
  const server = await startTiny(basePath, { keys, processes: 2 });
  const statusOf = async (path: string, key?: string): Promise<number> => {
    const response = await fetchUnpooled(`http://127.0.0.1:${server.httpPort}${path}`, {
      headers: key === undefined ? {} : { 'x-api-key': key },
    });
    await response.arrayBuffer();
    return response.status;
  };
  for (let process = 0; process < 2; process++) {
    assert.equal(await statusOf('/v1/bundle'), 401);
    assert.equal(await statusOf('/v1/bundle', 'reads'), 403);
    assert.equal(await statusOf('/v1/bundle?model=films', 'writes'), 200);
    assert.equal(await statusOf('/v1/bundle?model=nobody', 'writes'), 404);
    assert.equal(await statusOf('/v1/bundle?modle=films', 'writes'), 400);
  }
  await server.close();
});
