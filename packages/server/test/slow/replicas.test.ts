/** Replicas that hang, and garbage that reaches them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Generator } from 'shortlist/random';
import { fuzzHttp } from '../faults/fuzz.ts';
import { post, startTiny, tinyBasePath } from '../fixtures/tiny-bundle.ts';
import { isAlive, startWatched } from '../replicas/watched.ts';

test('a replica that hangs is ended: updates wait for that, and then go on', async () => {
  const { server, started, said } = await startWatched(await tinyBasePath());
  const [replica] = started();
  process.kill(replica!, 'SIGSTOP');
  // This connection is the server's own, by turns.
  const { status } = await post(server, '/v1/candidates/upsert', {
    candidates: [{ id: 'x', embedding: [9, 9, 9, 9] }],
  });
  assert.equal(status, 200);
  assert.ok(!isAlive(replica!), 'nobody acknowledges what a process that may answer again has not applied');
  await said('a replica serves again');
  for (let process = 0; process < 2; process++) {
    const { body } = await post(server, '/v1/shortlist', { embedding: [1, 1, 1, 1], k: 1 });
    assert.equal((body as { results: { id: string }[] }).results[0]!.id, 'x');
  }
  await server.close();
});

test('10,000 malformed bodies to two processes: no crash, no 500, no replica lost', async () => {
  const { server, started } = await startWatched(await tinyBasePath());
  const statuses = await fuzzHttp(server, new Generator(5).fork('fuzz'), 10_000);
  assert.ok(![...statuses.keys()].some((status) => status >= 500), JSON.stringify([...statuses]));
  assert.equal(started().length, 1);
  assert.equal((await post(server, '/v1/shortlist', { query: 'u1' })).status, 200);
  await server.close();
});

test('replicas killed again and again while updates, queries and compactions go on lose no update', async () => {
  const { server, started, said } = await startWatched(await tinyBasePath({ scann: true }));
  let updates = 0;
  let isOver = false;
  const updating = (async () => {
    for (; !isOver; updates++) {
      const body = { candidates: [{ id: `n${updates}`, embedding: [1, 2, 3, updates] }] };
      // A connection that a killed replica held is lost, with or without its update: sent again, it is the same one.
      while (
        (await post(server, '/v1/candidates/upsert', body).then(
          ({ status }) => status,
          () => 0,
        )) !== 200
      );
    }
  })();
  for (let i = 0; i < 6; i++) {
    process.kill(started().at(-1)!, 'SIGKILL');
    if (i % 2 === 0) await post(server, '/admin/models/films/compact', {}).catch(() => undefined);
    await said('a replica serves again', i + 1);
  }
  isOver = true;
  await updating;
  for (let process = 0; process < 2; process++) {
    for (let i = 0; i < updates; i += 7) {
      const { body } = await post(server, '/v1/shortlist', { embedding: [1, 1, 1, 1], k: 1, include: [`n${i}`] });
      assert.equal((body as { results: { id: string }[] }).results[0]?.id, `n${i}`);
    }
    // An odd number of questions: the next round queries the other process first.
    if (Math.ceil(updates / 7) % 2 === 0) await post(server, '/v1/shortlist', { query: 'u1' });
  }
  await server.close();
});

test('a server whose replicas cannot start answers alone', async () => {
  const options = process.execArgv;
  process.execArgv = ['--no-such-option'];
  const server = await startTiny(await tinyBasePath(), { processes: 2 });
  process.execArgv = options;
  for (let i = 0; i < 4; i++) assert.equal((await post(server, '/v1/shortlist', { query: 'u1' })).status, 200);
  await server.close();
});
