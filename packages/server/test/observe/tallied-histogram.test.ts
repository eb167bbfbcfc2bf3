/** Histograms and counts kept beside prom-client say what prom-client's own would. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { AggregatorRegistry, Counter, exponentialBuckets, Histogram, Registry } from 'prom-client';
import { ModelRegistry } from '../../src/models/registry.ts';
import { Metrics, type MetricsSnapshot } from '../../src/observe/metrics.ts';
import { TalliedHistogram } from '../../src/observe/tallied-histogram.ts';

const buckets = exponentialBuckets(10, 1.8, 33);
const spec = { name: 'latency', help: 'Time: a "quoted" word.', buckets };
const added = (...all: MetricsSnapshot[]): Promise<string> => AggregatorRegistry.aggregate(all).metrics();

test('text, figures and sums over processes are those of prom-client’s histogram, whatever is observed', async () => {
  const value = fc.oneof(fc.double({ min: 0, max: 1e11, noNaN: true }), fc.constantFrom(...buckets, 0, -1));
  const observed = fc.array(fc.tuple(fc.constantFrom('films', 'a "b" \\', ''), value), { maxLength: 60 });
  await fc.assert(
    fc.asyncProperty(observed, async (values) => {
      const [ours, theirs] = [new Registry(), new Registry()];
      const tallied = new TalliedHistogram<'model_name' | 'API'>(spec, ours);
      const histogram = new Histogram({ ...spec, labelNames: ['model_name', 'API'], registers: [theirs] });
      for (const [model_name, some] of values) {
        tallied.series({ model_name, API: 'predict' }).observe(some);
        histogram.observe({ model_name, API: 'predict' }, some);
      }
      assert.equal(await ours.metrics(), await theirs.metrics());
      const [our, their] = [await ours.getMetricsAsJSON(), await theirs.getMetricsAsJSON()];
      assert.equal(await added(our, our), await added(their, their));
      assert.equal(await added(our, their), await added(their, our));
    }),
    { numRuns: 50 },
  );
});

test('a histogram without labels is there before the first value', async () => {
  const [ours, theirs] = [new Registry(), new Registry()];
  const series = new TalliedHistogram(spec, ours).series({});
  const histogram = new Histogram({ ...spec, registers: [theirs] });
  assert.equal(await ours.metrics(), await theirs.metrics());
  series.observe(18);
  histogram.observe(18);
  assert.equal(await ours.metrics(), await theirs.metrics());
});

test('predictions are counted by model and status, and by model and entry point, however often somebody looks', async () => {
  const metrics = new Metrics(new ModelRegistry());
  const theirs = new Registry();
  const registers = [theirs];
  const requests = new Counter({
    name: ':tensorflow:serving:request_count',
    help: 'Requests by model and status.',
    labelNames: ['model_name', 'status'],
    registers,
  });
  const latency = new Histogram({
    name: ':tensorflow:serving:request_latency',
    help: 'Time of a request in microseconds.',
    labelNames: ['model_name', 'API', 'entrypoint'],
    buckets,
    registers,
  });
  const shown = async (): Promise<string> => {
    const all = await metrics.text([]);
    const begin = all.indexOf('# HELP :tensorflow:serving:request_count');
    return all.slice(begin, all.indexOf('\n\n# HELP :tensorflow:serving:runtime_latency'));
  };
  const same = async (): Promise<void> => assert.equal(await shown(), (await theirs.metrics()).trimEnd());
  await same();
  for (const [model_name, entrypoint, status, tookMs] of [
    ['films', 'REST', 'OK', 1.5],
    ['films', 'REST', 'OK', 0.01],
    ['', 'REST', 'NOT_FOUND', 0.25],
    ['films', 'GRPC', 'UNAVAILABLE', 3],
    ['films', 'REST', 'OK', 70_000_000_000],
  ] as const) {
    metrics.predicted(model_name, entrypoint, status, tookMs);
    requests.inc({ model_name, status });
    latency.observe({ model_name, API: 'predict', entrypoint }, tookMs * 1000);
    await same();
    await same();
  }
});
