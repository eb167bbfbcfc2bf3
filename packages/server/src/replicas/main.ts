/**
 * The program of a replica process: it follows the models of its server, answers queries from its own copies, and
 * forwards all other requests. It ignores signals, which the server acts on, and ends when the channel to its server
 * closes.
 */
import { rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { pino } from 'pino';
import { ApiKeys } from '../access/api-keys.ts';
import { readTls } from '../access/tls-files.ts';
import { NO_PEERS } from '../context/serving-context.ts';
import { renewCertificates } from '../http/certificates.ts';
import { HttpConnections } from '../http/connections.ts';
import { loadServable } from '../models/load-version.ts';
import { ModelRegistry } from '../models/registry.ts';
import { watchDescriptors } from '../observe/descriptor-watch.ts';
import { Metrics } from '../observe/metrics.ts';
import { ServingError } from '../status/serving-error.ts';
import { Channel } from './channel.ts';
import { FollowedModel } from './followed-model.ts';
import type { ReplicaCalls, ReplicaReport, ReplicaSettings, ServerCalls } from './protocol.ts';

for (const signal of ['SIGINT', 'SIGTERM', 'SIGQUIT', 'SIGHUP'] as const) process.on(signal, () => undefined);
process.on('disconnect', () => process.exit());

const registry = new ModelRegistry();
const metrics = new Metrics(registry);
const models = new Map<string, FollowedModel>();
let connections: HttpConnections | undefined;

const channel: Channel<ServerCalls, ReplicaCalls> = new Channel<ServerCalls, ReplicaCalls>(
  process,
  {
    start,
    open: ({ model, version }) => models.get(model)!.open(version),
    drop: ({ model, version }) => models.get(model)!.drop(version),
    show: ({ model, shown }) => models.get(model)!.show(shown),
    apply: ({ model, version, updates }) => models.get(model)!.apply(version, updates),
    report: async (): Promise<ReplicaReport> => ({
      metrics: await metrics.registry.getMetricsAsJSON(),
      statistics: registry.served.map(({ model, version, statistics }) => ({ model, version, statistics })),
    }),
    ping: () => undefined,
    drain: ({ withinMs }) => connections?.drain(withinMs),
  },
  (socket) => (connections ? connections.take(socket) : socket.destroy()),
);

async function start(settings: ReplicaSettings): Promise<void> {
  const { queue, canary, limits, keys, tls: files, requestsPerSecond, serverVersion, logLevel, rows } = settings;
  // A program may define its own log levels, which do not exist in this process.
  const level = logLevel === 'silent' || logLevel in pino.levels.values ? logLevel : 'info';
  const logger = pino({ level }, pino.destination(2));
  for (const name of settings.models) {
    const followed = new FollowedModel(name, { metrics, queue, canary }, rows);
    models.set(name, followed);
    registry.add(followed.model);
  }
  // These modules are loaded while the models are opened, which is the server's next call.
  const { createHttpApp } = await import('../http/app.ts');
  const app = await createHttpApp(
    {
      registry,
      load: (path, isBeside = true) => loadServable(path, isBeside, rows),
      snapshot: async (model) => {
        const taken = await channel.call('snapshot', { model });
        if ('code' in taken) throw new ServingError(taken.code, taken.message);
        return { ...taken, remove: () => rm(dirname(taken.file), { recursive: true, force: true }) };
      },
      limits,
      keys: new ApiKeys(keys),
      sites: settings.sites,
      metrics,
      logger,
      peers: NO_PEERS,
      serverVersion,
      isReady: () => registry.ready,
    },
    {
      tls: files && readTls(files),
      requestsPerSecond,
      forward: (request) => channel.call('forward', request),
    },
  );
  if (files) renewCertificates(app, files, logger);
  connections = new HttpConnections(app);
  watchDescriptors(metrics.descriptorObserver(logger));
}
