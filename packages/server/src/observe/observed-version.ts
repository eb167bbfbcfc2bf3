/** A version as it is served: warmed up, with its scans reported to metrics, spans and the recall canary. */
import { basename, dirname, join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { COMPACTING_PREFIX } from '../models/compaction.ts';
import { ServedVersion } from '../models/served-version.ts';
import type { BatcherOptions } from '../queue/batcher.ts';
import type { Query, QueryResult, Servable } from '../servable/contract.ts';
import { type CanaryOptions, RecallCanary } from './canary.ts';
import type { Metrics } from './metrics.ts';
import type { HistogramSeries } from './tallied-histogram.ts';
import { tracePast } from './tracing.ts';

/** Queries that a version results before it serves, so that the first users do not wait for compilation and page faults. */
const WARMUP_QUERIES = 16;

/** What observes a version, and the settings of its queue. */
export interface Observers {
  metrics: Metrics;
  queue: BatcherOptions;
  canary: CanaryOptions;
}

/** Answer some queries of our own. */
export async function warmUp(servable: Servable, path: string, metrics: Metrics): Promise<void> {
  const started = performance.now();
  const { features, dimensions, k } = servable;
  const query: Query = { k };
  if (features.length === 0) query.embedding = new Float32Array(dimensions);
  else if (features.length === 1) query.features = '';
  else query.features = Object.fromEntries(features.map(({ name }) => [name, '']));
  for (let i = 0; i < WARMUP_QUERIES; i++) {
    await servable.search([query]);
    // Another version may be serving.
    await nextTurn();
  }
  // This folder is renamed before the version serves. A series under its present name would stay for ever.
  if (basename(path).startsWith(COMPACTING_PREFIX)) return;
  // Which version of which model: where its folder lies is nobody's business.
  const model_path = join(basename(dirname(path)), basename(path));
  metrics.warmupLatency.series({ model_path, status: 'OK' }).observe((performance.now() - started) * 1000);
}

/** A version with its queue, whose scans and results are observed. */
export function observedVersion(
  model: string,
  version: number,
  servable: Servable,
  { metrics, queue, canary: canaryOptions }: Observers,
): ServedVersion {
  const canary = new RecallCanary(canaryOptions, (recall) => {
    metrics.canaryRecall.set({ model_name: model }, recall);
    metrics.canaryQueries.inc({ model_name: model });
  });
  // An exact index has nothing to compare: its recall is 1.
  if (canaryOptions.share > 0 && servable.isExact()) metrics.canaryRecall.set({ model_name: model }, 1);
  // The series appears with the first scan.
  let latency: HistogramSeries | undefined;
  const onBatch = (queries: number, tookMs: number, waitedMs: number): void => {
    metrics.batchSize.observe(queries);
    metrics.queueWait.observe(waitedMs / 1000);
    latency ??= metrics.runtimeLatency.series({ model_name: model, API: 'predict', runtime: 'shortlist' });
    latency.observe(tookMs * 1000);
    tracePast('shortlist.scan', { 'shortlist.model': model, 'shortlist.queries': queries }, tookMs);
  };
  const onShed = (): void => metrics.shed.inc();
  const onResults = (queries: readonly Query[], results: readonly QueryResult[]): void => {
    for (const { unknown } of results) {
      for (const feature of unknown ?? []) metrics.unknownFeatures.inc({ model_name: model, feature });
    }
    canary.observe(servable, queries, results);
  };
  return new ServedVersion(model, version, servable, { ...queue, onBatch, onShed, onResults });
}
