/** `@shortlist/server`: re-exports only. */
import './status/package-folder.ts';

// access
export type { ApiKey, Role } from './access/api-keys.ts';
export type { TlsFiles } from './access/tls-files.ts';
// attributes
export type { Filter, FilterRange, FilterValue } from './attributes/filter.ts';
export type { AttributeKind, AttributeValue, AttributeValues, ListValue } from './attributes/values.ts';
// context
export type { ServerLimits } from './context/serving-context.ts';
// journal
export type { FsyncPolicy } from './journal/journal.ts';
export type { DamagePolicy } from './journal/recovery.ts';
// models
export { checkPolicy, type VersionPolicy } from './models/version-policy.ts';
// queue
export type { BatcherOptions } from './queue/batcher.ts';
// serve
export { modelNameOf } from './serve/build-model.ts';
export { closeOnSignals } from './serve/close-on-signals.ts';
export { DEFAULT_LIMITS, type ModelConfig, PROCESSES_MAX, type ServerOptions } from './serve/options.ts';
export { ShortlistServer } from './serve/server.ts';
// status
export { ServingError, STATUS_CODES, type StatusCode } from './status/serving-error.ts';
