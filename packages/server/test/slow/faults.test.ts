/** The long forms of the fault tests: 1,000 upserts under kill -9, 10,000 malformed bodies, a minute of overload. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Client, credentials } from '@grpc/grpc-js';
import { Generator } from 'shortlist/random';
import { fuzzGrpc, fuzzHttp } from '../faults/fuzz.ts';
import { killDuring, killDuringUpserts } from '../faults/killing.ts';
import { CPU_CLOCK, overload } from '../faults/overload.ts';
import { overloadSockets } from '../faults/socket-overload.ts';
import { post, startTiny, tinyBasePath } from '../fixtures/tiny-bundle.ts';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** Bytes that something still knows: what the process holds beyond depends on the allocator and on when it collects. */
function liveBytes(): number {
  // A collection leaves arrays to another thread, and the next one waits until that thread has given them back.
  collect();
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

test('kill -9 during 1,000 upserts, five times', async () => {
  for (let round = 0; round < 5; round++) {
    const { acknowledged, found, half } = await killDuringUpserts(1000);
    assert.ok(acknowledged.length >= 500);
    assert.deepEqual(
      acknowledged.filter((id) => !found.has(id)),
      [],
    );
    assert.equal(half, 0);
  }
});

test('kill -9 at every stage of a compaction and of a rebalance, five times each', async () => {
  for (const work of ['compact', 'rebalance'] as const) {
    for (const stage of ['asked', 'begun', 'saved', 'loaded', 'switched'] as const) {
      for (let round = 0; round < 5; round++) {
        const { acknowledged, found, half } = await killDuring(work, 60, stage);
        assert.deepEqual(
          acknowledged.filter((id) => !found.has(id)),
          [],
        );
        assert.equal(half, 0);
      }
    }
  }
});

test('10,000 malformed bodies: no crash, no 500, memory flat', async () => {
  const server = await startTiny(await tinyBasePath());
  const generator = new Generator(11).fork('fuzz');
  await fuzzHttp(server, generator, 2000);
  const before = liveBytes();
  const statuses = await fuzzHttp(server, generator, 8000);
  const grown = liveBytes() / before;
  assert.ok(![...statuses.keys()].some((status) => status >= 500), JSON.stringify([...statuses]));
  assert.ok(grown < 1.25, `memory grew ${grown.toFixed(2)}-fold`);
  assert.equal((await post(server, '/v1/shortlist', { query: 'u1' })).status, 200);
  await server.close();
});

test('10,000 malformed protos: no crash, none hangs, memory flat', async () => {
  const server = await startTiny(await tinyBasePath(), { grpcPort: 0 });
  const client = new Client(`127.0.0.1:${server.grpcPort}`, credentials.createInsecure());
  const generator = new Generator(12).fork('fuzz');
  await fuzzGrpc(client, generator, 2000);
  const before = liveBytes();
  const codes = await fuzzGrpc(client, generator, 8000);
  const grown = liveBytes() / before;
  assert.ok(!codes.has(4) && !codes.has(14), JSON.stringify([...codes]));
  assert.ok(grown < 1.25, `memory grew ${grown.toFixed(2)}-fold`);
  assert.equal((await post(server, '/v1/shortlist', { query: 'u1' })).status, 200);
  client.close();
  await server.close();
});

test('200 % overload for a minute of CPU time: goodput stays, nothing hangs', async () => {
  const { goodput, capacity, hung } = await overload(60_000, CPU_CLOCK);
  assert.equal(hung, 0);
  assert.ok(goodput >= 0.8 * capacity, `${goodput} of ${capacity} a second of CPU time`);
});

test('200 % overload over sockets for a minute: goodput stays, nothing hangs', async () => {
  const { goodput, capacity, statuses, hung } = await overloadSockets(60_000);
  assert.equal(hung, 0);
  assert.deepEqual([...statuses.keys()].sort(), [200, 503]);
  assert.ok(goodput >= 0.8 * capacity, `${goodput} of ${capacity} a second of the server's CPU time`);
});
