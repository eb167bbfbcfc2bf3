/** Settings for the parts of a server, derived from its options, and the settings that replicas share. */
import type { SiteOptions } from '../access/site-check.ts';
import type { CanaryOptions } from '../observe/canary.ts';
import type { ReplicaSettings } from '../replicas/protocol.ts';
import type { ServerOptions } from './options.ts';

/** Default address to listen on, which only this machine reaches. */
export const DEFAULT_HOST = '127.0.0.1';
/** Share of the queries that the recall canary searches again: one in a thousand. */
const CANARY_SHARE = 0.001;

/** The recall canary of each process. */
export function canaryOptions({ canaryShare, rows, processes = 1 }: ServerOptions): CanaryOptions {
  return { share: canaryShare ?? (rows === 'file' ? 0 : CANARY_SHARE), processes };
}

/** The web sites and hosts whose requests are accepted. */
export function siteOptions(options: ServerOptions): SiteOptions {
  const { corsOrigins = [], allowedHosts = [], host = DEFAULT_HOST } = options;
  return { origins: corsOrigins, hosts: [...allowedHosts, host] };
}

/** The settings that every replica gets when it starts. */
export function replicaSettings(
  options: ServerOptions,
  common: Pick<ReplicaSettings, 'limits' | 'logLevel' | 'serverVersion'>,
): ReplicaSettings {
  const { models, queue = {}, keys = [], tls, requestsPerSecond, rows, rowCacheBytes } = options;
  return {
    ...common,
    models: models.map(({ name }) => name),
    queue,
    canary: canaryOptions(options),
    keys,
    sites: siteOptions(options),
    tls,
    requestsPerSecond,
    rows: { rows, rowCacheBytes },
  };
}

/** Whether an address is reached only from this machine. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host.endsWith('.localhost') || host === '::1' || /^127(\.\d+){3}$/.test(host);
}
