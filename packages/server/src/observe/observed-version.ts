/** Prepares a version for serving: warms it up, and reports its scans to metrics, spans and the recall canary. */
import { basename, dirname, join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { COMPACTING_PREFIX } from '../models/compaction.ts';
import { ServedVersion } from '../models/served-version.ts';
import type { BatcherOptions } from '../queue/batcher.ts';
import type { Features, Query, QueryResult, Servable } from '../servable/contract.ts';
import { anyValue } from '../servable/feature-fields.ts';
import { type CanaryOptions, RecallCanary } from './canary.ts';
import type { Metrics } from './metrics.ts';
import type { HistogramSeries } from './tallied-histogram.ts';
import { tracePast } from './tracing.ts';

/**
 * Queries that a version answers before it serves, so that the first users do not wait for compilation and page faults.
 */
const WARMUP_QUERIES = 16;

/** The observers of a version, and the settings of its queue. */
export interface Observers {
  metrics: Metrics;
  queue: BatcherOptions;
  canary: CanaryOptions;
}

/** Warm a version up by answering some generated queries. */
export async function warmUp(servable: Servable, path: string, metrics: Metrics): Promise<void> {
  const started = performance.now();
  const { k, dimensions } = servable;
  const features = generatedFeatures(servable);
  const query: Query = features === undefined ? { k, embedding: new Float32Array(dimensions) } : { k, features };
  for (let i = 0; i < WARMUP_QUERIES; i++) {
    await servable.search([query]);
    // Give other work a turn, because another version may be serving.
    await nextTurn();
  }
  // A compaction renames this folder before the version serves, and a series under the present name would never be
  // removed.
  if (basename(path).startsWith(COMPACTING_PREFIX)) return;
  // The label contains only the names of the model and the version, because the path of the folder must not be
  // published.
  const model_path = join(basename(dirname(path)), basename(path));
  metrics.warmupLatency.series({ model_path, status: 'OK' }).observe((performance.now() - started) * 1000);
}

/** Features of a generated query; undefined where queries have none, or none can be made that fit the model's spec. */
function generatedFeatures(servable: Servable): Features | undefined {
  const { features } = servable;
  if (features.length === 0) return undefined;
  if (features.length === 1 && !features[0]!.isRaw) return '';
  const query = Object.fromEntries(features.map((spec) => [spec.name, anyValue(spec)]));
  try {
    servable.encodeFeatures([query]);
    return query;
  } catch {
    // A vocabulary without a row for unknown words refuses every word that is made up.
    return undefined;
  }
}

/** A version with its queue; its scans and results are observed. */
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
  // The recall of an exact index is 1, so it needs no canary.
  if (canaryOptions.share > 0 && servable.isExact()) metrics.canaryRecall.set({ model_name: model }, 1);
  // The series is made at the first scan, so that it does not appear earlier.
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
