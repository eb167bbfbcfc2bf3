/** A model of the registry from its configuration: where its versions are, and how a loaded one is warmed and served. */
import { readdir, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Logger } from 'pino';
import { COMPACTING_PREFIX } from '../models/compaction.ts';
import { BUNDLE_SUFFIX } from '../models/load-version.ts';
import { Model } from '../models/model.ts';
import { ServedVersion } from '../models/served-version.ts';
import { singleVersion } from '../models/version-folders.ts';
import type { LoadedVersion, VersionLoader } from '../models/version-record.ts';
import { RecallCanary } from '../observe/canary.ts';
import type { Metrics } from '../observe/metrics.ts';
import { tracePast } from '../observe/tracing.ts';
import type { BatcherOptions } from '../queue/batcher.ts';
import type { Answer, Ask, Servable } from '../servable/contract.ts';
import type { ModelConfig } from './options.ts';

/** Queries a version answers before it serves, so that the first users do not wait for compilers and page faults. */
const WARMUP_QUERIES = 16;

/** What models share. */
export interface ModelSurroundings {
  load: VersionLoader;
  metrics: Metrics;
  logger: Logger;
  queue: BatcherOptions;
  canaryShare: number;
}

/** Build a model; nothing is loaded yet. */
export async function buildModel(config: ModelConfig, surroundings: ModelSurroundings): Promise<Model> {
  const { load, metrics, logger } = surroundings;
  const { name, path } = config;
  const single = await isSingleVersion(path);
  if (!single) await removeUnfinished(path);
  return new Model({
    name,
    basePath: single ? dirname(path) : path,
    ...(single ? { list: () => singleVersion(path) } : {}),
    ...(config.policy ? { policy: config.policy } : {}),
    load: async (versionPath, isBeside) => {
      const loaded = await load(versionPath, isBeside);
      await warmUp(loaded, versionPath, metrics);
      const recovery = loaded.journal?.recovery;
      if (recovery && recovery.bytesCut > 0)
        logger.warn({ model: name, ...recovery }, 'the journal had a damaged tail, it was cut');
      else if (recovery && recovery.records > 0)
        logger.info({ model: name, records: recovery.records }, 'journal replayed');
      return loaded;
    },
    serve: (model, version, { servable }) => serveVersion(model, version, servable, surroundings),
    onState: (model, { version, state, errorMessage }) => {
      if (errorMessage === '') logger.info({ model, version, state }, 'version');
      else logger.error({ model, version, state, reason: errorMessage }, 'version could not be loaded');
    },
  });
}

/** The name a path gives a model: movielens.shortlist and movielens/ are both `movielens`. */
export function modelNameOf(path: string): string {
  return basename(path, BUNDLE_SUFFIX);
}

async function isSingleVersion(path: string): Promise<boolean> {
  const entry = await stat(path).catch(() => undefined);
  if (!entry?.isDirectory()) return entry?.isFile() ?? false;
  return (await readdir(path)).some((name) => name.endsWith(BUNDLE_SUFFIX));
}

async function removeUnfinished(basePath: string): Promise<void> {
  const names = await readdir(basePath).catch(() => []);
  for (const name of names.filter((name) => name.startsWith(COMPACTING_PREFIX))) {
    await rm(join(basePath, name), { recursive: true, force: true });
  }
}

async function warmUp({ servable }: LoadedVersion, path: string, metrics: Metrics): Promise<void> {
  const started = performance.now();
  const { features, dimensions, k } = servable;
  const ask: Ask = { k };
  if (features.length === 0) ask.embedding = new Float32Array(dimensions);
  else if (features.length === 1) ask.features = '';
  else ask.features = Object.fromEntries(features.map(({ name }) => [name, '']));
  for (let i = 0; i < WARMUP_QUERIES; i++) {
    await servable.answer([ask]);
    // Another version may be serving.
    await nextTurn();
  }
  metrics.warmupLatency.observe({ model_path: path, status: 'OK' }, (performance.now() - started) * 1000);
}

function serveVersion(
  model: string,
  version: number,
  servable: Servable,
  { metrics, queue, canaryShare }: ModelSurroundings,
): ServedVersion {
  const canary = new RecallCanary(canaryShare, (recall) => {
    metrics.canaryRecall.set({ model_name: model }, recall);
    metrics.canaryAsks.inc({ model_name: model });
  });
  const onBatch = (asks: number, tookMs: number, waitedMs: number): void => {
    metrics.batchSize.observe(asks);
    metrics.queueWait.observe(waitedMs / 1000);
    metrics.runtimeLatency.observe({ model_name: model, API: 'predict', runtime: 'shortlist' }, tookMs * 1000);
    tracePast('shortlist.scan', { 'shortlist.model': model, 'shortlist.queries': asks }, tookMs);
  };
  const onShed = (): void => metrics.shed.inc();
  const onAnswer = (asks: readonly Ask[], answers: readonly Answer[]): void => canary.observe(servable, asks, answers);
  return new ServedVersion(model, version, servable, { ...queue, onBatch, onShed, onAnswer });
}
