/** Metrics of several processes when a replica ends or hangs. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { Counter, Gauge, Registry } from 'prom-client';
import { ModelRegistry } from '../../src/models/registry.ts';
import { summed, VersionStatistics } from '../../src/models/version-statistics.ts';
import { ReplicaMetrics } from '../../src/replicas/replica-metrics.ts';
import { FILMS, fetchUnpooled, post, type startTiny, tinyBasePath } from '../fixtures/tiny-bundle.ts';
import { isAlive, startWatched } from './watched.ts';

/** Two processes, which the tests of servers share in their order. */
const watched = startWatched(await tinyBasePath({ scann: true }));
after(async () => (await watched).server.close());
/** The version that serves after the first of them. */
const VERSION = 'version="3"';

type Server = Awaited<ReturnType<typeof startTiny>>;
const predict = async (server: Server, times: number): Promise<void> => {
  for (let i = 0; i < times; i++) await post(server, '/v1/models/films:predict', { instances: ['u1'] });
};
const textOf = async (server: Server, path: string): Promise<string> =>
  (await fetchUnpooled(`http://127.0.0.1:${server.httpPort}${path}`)).text();
/** The value of the first series of a metric with this text in its labels. */
const seriesOf = (text: string, name: string, labels: string): number => {
  const line = text.split('\n').find((line) => line.startsWith(`${name}{`) && line.includes(labels));
  return Number(line?.split(' ').at(-1));
};

/** Requests as counted, as measured and in the statistics, and leaves that were visited. */
async function countsOf(server: Server): Promise<number[]> {
  const text = await textOf(server, '/metrics');
  const { model_stats } = JSON.parse(await textOf(server, '/v2/models/films/stats')) as {
    model_stats: { inference_count: number }[];
  };
  return [
    seriesOf(text, ':tensorflow:serving:request_count', 'status="OK"'),
    seriesOf(text, ':tensorflow:serving:request_latency_count', 'entrypoint="REST"'),
    model_stats[0]!.inference_count,
    seriesOf(text, 'shortlist_leaves_visited_total', VERSION),
  ];
}

test('no metric is labelled with the folder that a compaction built in', async () => {
  const { server } = await watched;
  for (let version = 2; version <= 3; version++) {
    const candidates = [{ id: `n${version}`, embedding: [1, 0, 0, 0] }];
    assert.equal((await post(server, '/v1/candidates/upsert', { candidates })).status, 200);
    assert.equal((await post(server, '/admin/models/films/compact', {})).status, 200);
  }
  const text = await textOf(server, '/metrics');
  assert.match(text, /model_warmup_latency_count\{model_path="[^"]*1",status="OK"\} 2\n/);
  assert.doesNotMatch(text, /\.compacting/);
});

test('counters do not fall when a replica is killed, and go on when it is back', async () => {
  const { server, started, said } = await watched;
  await predict(server, 12);
  let before = await countsOf(server);
  assert.deepEqual(before.slice(0, 3), [12, 12, 12]);
  assert.ok(before[3]! > 0);
  // The second to end had seen nothing of what the first did.
  for (let death = 1; death <= 2; death++) {
    process.kill(started().at(-1)!, 'SIGKILL');
    await said('replica ended, its connections are lost', death);
    const without = await countsOf(server);
    assert.deepEqual(without.slice(0, 3), before.slice(0, 3));
    assert.ok(without[3]! >= before[3]!);
    await said('a replica serves again', death);
    await predict(server, 6);
    const after = await countsOf(server);
    assert.deepEqual(
      after.slice(0, 3),
      before.slice(0, 3).map((count) => count + 6),
    );
    assert.ok(after[3]! > without[3]!);
    before = after;
  }
  // The present is not kept: each replica had the candidates that the server has.
  assert.equal(seriesOf(await textOf(server, '/metrics'), 'shortlist_candidates', VERSION), FILMS + 2);
});

test('a replica that hangs does not hold report up: its last ones stand for it', async () => {
  const { server, started, said } = await watched;
  await predict(server, 12);
  const [counted] = await countsOf(server);
  const replica = started().at(-1);
  process.kill(replica!, 'SIGSTOP');
  // By turns: one of two connections waits for the replica.
  const answers = Array.from({ length: 2 }, () => textOf(server, '/metrics'));
  const text = await Promise.any(answers);
  // Else it had been waited for until it was ended.
  assert.ok(isAlive(replica!));
  assert.equal(seriesOf(text, ':tensorflow:serving:request_count', 'status="OK"'), counted);
  process.kill(replica!, 'SIGKILL');
  await said('replica ended, its connections are lost', 3);
  await Promise.allSettled(answers);
  await server.close();
});

/** A replica that answered so many requests and has one in its queue. */
async function replicaOf(requests: number): Promise<{ report: () => Promise<never> }> {
  const registers = [new Registry()];
  new Counter({ name: 'requests', help: '.', registers }).inc(requests);
  new Gauge({ name: 'queue', help: '.', registers }).set(1);
  const statistics = [{ model: 'films', version: 1, statistics: summed([new VersionStatistics()]) }];
  const metrics = await registers[0]!.getMetricsAsJSON();
  return { report: async () => ({ metrics, statistics }) as never };
}

test('what is kept of replicas that have ended is asked for in time, and one sum', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  let serving: Awaited<ReturnType<typeof replicaOf>>[] = [];
  const report = new ReplicaMetrics(new ModelRegistry(), () => serving);
  for (const requests of [3, 4, 5]) {
    const replica = await replicaOf(requests);
    serving = [replica];
    // Nobody collects them.
    t.mock.timers.tick(2_000);
    await new Promise((resolve) => setImmediate(resolve));
    serving = [];
    report.ended(replica);
  }
  const shown = (await report.metrics()).flatMap((metrics) => metrics.map(({ name, values }) => [name, values]));
  assert.deepEqual(shown, [['requests', [{ value: 12, labels: {} }]]]);
  // Of a version that no longer serves nothing is kept.
  assert.deepEqual(await report.statistics(), []);
  report.stop();
});
