/** Versions on disk: switching, rolling back, damage, compaction. */
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { until } from '../fixtures/occupied.ts';
import { FILMS, fetchUnpooled, post, saveTinyBundle, startTiny, tinyBasePath } from '../fixtures/tiny-bundle.ts';

interface Shortlist {
  version: number;
  results: { id: string; score: number; genre?: string }[];
}
type Server = Awaited<ReturnType<typeof startTiny>>;
const shortlist = async (server: Server, request: object = { query: 'u1' }): Promise<Shortlist> => {
  const { status, body } = await post(server, '/v1/shortlist', request);
  assert.equal(status, 200, JSON.stringify(body));
  return body as Shortlist;
};
const put = (server: Server, path: string, body: object): Promise<Response> =>
  fetchUnpooled(`http://127.0.0.1:${server.httpPort}${path}`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });

for (const processes of [1, 2]) {
  test(`a new version takes over without a failed or mixed request, ${processes} at once`, async () => {
    const basePath = await tinyBasePath();
    const server = await startTiny(basePath, { pollMs: 20, processes });
    let stop = false;
    const seen = new Set<number>();
    const asking = Array.from({ length: 4 }, async () => {
      while (!stop) {
        const { version, results } = await shortlist(server);
        seen.add(version);
        const prefix = version === 1 ? 'film' : 'movie';
        assert.ok(
          results.every(({ id }) => id.startsWith(prefix)),
          `version ${version} answered ${results[0]!.id}`,
        );
      }
    }).map((asked) =>
      asked.finally(() => {
        stop = true;
      }),
    );
    await saveTinyBundle(join(basePath, '2'), { seed: 8, prefix: 'movie' });
    await until(() => seen.has(2) || stop);
    stop = true;
    await Promise.all(asking);
    assert.deepEqual([...seen].sort(), [1, 2]);

    // Roll back, give a label, and see that labels go only to what serves.
    assert.equal((await put(server, '/admin/models/films/policy', { specific: [1] })).status, 200);
    assert.equal((await shortlist(server)).version, 1);
    assert.equal((await put(server, '/admin/models/films/labels/stable', { version: 1 })).status, 200);
    assert.equal((await shortlist(server, { query: 'u1', label: 'stable' })).version, 1);
    const refused = await put(server, '/admin/models/films/labels/next', { version: 2 });
    assert.equal(refused.status, 400);
    assert.match(await refused.text(), /which is not currently available for inference/);
    assert.equal((await put(server, '/admin/models/films/policy', { newest: 1 })).status, 400);
    await server.close();
  });
}

test('a damaged new version leaves the old one live, and its status says why', async () => {
  const basePath = await tinyBasePath();
  const server = await startTiny(basePath);
  await saveTinyBundle(join(basePath, '2'));
  const path = join(basePath, '2', 'model.shortlist');
  const bytes = readFileSync(path);
  bytes[bytes.length >> 1]! ^= 1;
  writeFileSync(path, bytes);
  mkdirSync(join(basePath, '3'));
  const [model] = server.registry.models;
  await model!.setPolicy({ all: true });
  assert.equal((await shortlist(server)).version, 1);
  const status = await (await fetchUnpooled(`http://127.0.0.1:${server.httpPort}/v1/models/films`)).text();
  const states = JSON.parse(status).model_version_status as {
    version: string;
    state: string;
    status: { error_code: string; error_message: string };
  }[];
  assert.deepEqual(
    states.map(({ version, state, status }) => [version, state, status.error_code]),
    [
      ['3', 'END', 'FAILED_PRECONDITION'],
      ['2', 'END', 'DATA_LOSS'],
      ['1', 'AVAILABLE', 'OK'],
    ],
  );
  assert.match(states[1]!.status.error_message, /checksum|byte/);
  assert.match(states[0]!.status.error_message, /expected one \.shortlist file/);
  // Mended, it is tried again.
  bytes[bytes.length >> 1]! ^= 1;
  writeFileSync(path, bytes);
  await model!.load();
  assert.equal((await shortlist(server, { query: 'u1', version: 2 })).version, 2);
  assert.equal(model!.records.find(({ version }) => version === 2)!.errorCode, 'OK');
  await server.close();
});

const rows = (server: Server, k = 1000): Promise<Shortlist> =>
  shortlist(server, { embedding: [1, 0.5, 0.25, 0.125], k, leavesToSearch: 1000, reorder: 1000 });

for (const processes of [1, 2]) {
  test(`a rebalance, ${processes} at once: queries and updates go on, and no acknowledged update or attribute is lost`, async () => {
    const basePath = await tinyBasePath({ scann: true });
    let server = await startTiny(basePath, { processes });
    await post(server, '/v1/candidates/delete', { ids: ['film0', 'film7'] });
    const upsert = (id: string, genre: string): Promise<{ status: number }> =>
      post(server, '/v1/candidates/upsert', { candidates: [{ id, embedding: [5, 5, 5, 5], attributes: { genre } }] });
    await upsert('film0', 'western');
    await upsert('film9', 'western');
    const before = (await rows(server)).results;
    assert.equal(before.length, FILMS - 1);
    const metrics = await (await fetchUnpooled(`http://127.0.0.1:${server.httpPort}/metrics`)).text();
    assert.match(metrics, /shortlist_drift_moved_share\{model_name="films",version="1"\} [0-9.]+/);
    assert.match(metrics, /shortlist_drift_distance_ratio\{model_name="films",version="1"\} [0-9.]+/);

    let acknowledged = 0;
    let rebalancing = true;
    const updating = (async () => {
      while (rebalancing) {
        assert.equal((await upsert(`added${acknowledged}`, 'noir')).status, 200);
        acknowledged++;
        assert.equal((await rows(server)).results.length, FILMS - 1 + acknowledged);
      }
    })();
    // What no update touches has the same answer at every moment, whichever version gives it.
    const { servable } = server.registry.choose('films', {});
    const leavesBefore = servable.scanCounts().leavesVisited;
    const everywhere = { embedding: [-1, -0.5, -0.25, -0.125], k: 20, leavesToSearch: 50, reorder: 100 };
    const expected = (await shortlist(server, everywhere)).results;
    for (let i = 1; i < processes; i++) assert.deepEqual((await shortlist(server, everywhere)).results, expected);
    assert.ok(servable.scanCounts().leavesVisited - leavesBefore > 1, 'the index has several leaves');
    assert.equal(expected.length, 20);
    let asked = 0;
    const asking = Array.from({ length: 3 }, async () => {
      while (rebalancing) {
        assert.deepEqual((await shortlist(server, everywhere)).results, expected);
        asked++;
      }
    });
    const answer = await post(server, '/admin/models/films/rebalance', {});
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
    rebalancing = false;
    await Promise.all([updating, ...asking]);
    assert.ok(acknowledged > 0 && asked > 0);
    assert.deepEqual((await shortlist(server, everywhere)).results, expected);
    for (let i = 0; i < 2; i++) {
      const { version, results } = await rows(server);
      assert.equal(version, 2);
      const added = results.filter(({ id }) => id.startsWith('added'));
      assert.equal(added.length, acknowledged);
      assert.ok(added.every(({ genre }) => genre === 'noir'));
      const byId = (a: { id: string }, b: { id: string }): number => (a.id < b.id ? -1 : 1);
      assert.deepEqual(results.filter(({ id }) => !id.startsWith('added')).sort(byId), [...before].sort(byId));
      await server.close();
      server = await startTiny(basePath);
    }
    await server.close();
  });
}

test('drift past a share is rebalanced without being asked; an exact index has nothing to rebalance', async () => {
  // Nothing has moved, and even that is more than this share.
  const server = await startTiny(await tinyBasePath({ scann: true }), { pollMs: 20, rebalanceAfterShare: -1 });
  await until(async () => (await shortlist(server)).version >= 2);
  assert.ok((await shortlist(server)).version >= 2);
  await server.close();
  const exact = await startTiny(await tinyBasePath());
  const { status, body } = await post(exact, '/admin/models/films/rebalance', {});
  assert.equal(status, 400);
  assert.match((body as { error: string }).error, /no leaves to rebalance/);
  await exact.close();
});

for (const scann of [false, true]) {
  test(`${scann ? 'ScaNN' : 'BruteForce'}: updates outlive a restart, and a compaction writes them into a new version`, async () => {
    const basePath = await tinyBasePath({ scann });
    let server = await startTiny(basePath);
    const upsert = { candidates: [{ id: 'new', embedding: [50, 0, 0, 0], attributes: { genre: 'western' } }] };
    await post(server, '/v1/candidates/upsert', upsert);
    await post(server, '/v1/candidates/delete', { ids: ['film0', 'film1'] });
    const everything = { embedding: [1, 0, 0, 0], k: FILMS + 1 };
    const before = await shortlist(server, everything);
    assert.equal(before.results.length, FILMS - 1);
    assert.deepEqual([before.results[0]!.id, before.results[0]!.genre], ['new', 'western']);
    await server.close();

    server = await startTiny(basePath);
    assert.deepEqual((await shortlist(server, everything)).results, before.results);

    const compacted = await post(server, '/admin/models/films/compact', {});
    assert.equal(compacted.status, 200, JSON.stringify(compacted.body));
    const after = await shortlist(server, everything);
    assert.equal(after.version, 2);
    assert.deepEqual(after.results, before.results);
    await post(server, '/v1/candidates/delete', { ids: ['new'] });
    assert.equal((await shortlist(server, everything)).results.length, FILMS - 2);
    await server.close();
    assert.deepEqual(readdirSync(basePath).sort(), ['1', '2']);

    server = await startTiny(basePath);
    assert.equal((await shortlist(server, everything)).results.length, FILMS - 2);
    await server.close();
  });

  test(`${scann ? 'ScaNN' : 'BruteForce'}: updates that come while a compaction runs are in the new version`, async () => {
    const basePath = await tinyBasePath({ scann });
    const server = await startTiny(basePath);
    // A version without updates would not be compacted.
    await post(server, '/v1/candidates/upsert', { candidates: [{ id: 'added0', embedding: [1, 1, 1, 1] }] });
    let acknowledged = 1;
    let compacting = true;
    const updating = (async () => {
      while (compacting) {
        const id = `added${acknowledged}`;
        const { status } = await post(server, '/v1/candidates/upsert', {
          candidates: [{ id, embedding: [1, 1, 1, 1] }],
        });
        assert.equal(status, 200);
        acknowledged++;
      }
    })();
    assert.equal((await post(server, '/admin/models/films/compact', {})).status, 200);
    compacting = false;
    await updating;
    assert.ok(acknowledged > 0);
    const { version, results } = await shortlist(server, { query: 'u1', k: 1000 });
    assert.equal(version, 2);
    assert.equal(results.length, FILMS + acknowledged);
    await server.close();
  });
}
