/** `shortlist serve`: serves bundles over HTTP and gRPC until a signal ends it. */
import { existsSync, readFileSync, statSync } from 'node:fs';
import {
  type ApiKey,
  checkPolicy,
  closeOnSignals,
  type FsyncPolicy,
  type ModelConfig,
  modelNameOf,
  PROCESSES_MAX,
  type ServerOptions,
  ShortlistServer,
  type VersionPolicy,
} from '@shortlist/server';
import { pino } from 'pino';
import { DataError, FileError } from 'shortlist';
import { systemReason } from 'shortlist/node';
import { type Command, UsageError } from '../terminal/command.ts';
import { parseArguments } from '../terminal/parse-arguments.ts';
import { readConfigFile } from './config-file.ts';

const OPTIONS = {
  config: { type: 'string' },
  host: { type: 'string' },
  'http-port': { type: 'string' },
  'grpc-port': { type: 'string' },
  processes: { type: 'string' },
  policy: { type: 'string' },
  keys: { type: 'string' },
  insecure: { type: 'boolean' },
  cors: { type: 'string' },
  'allowed-hosts': { type: 'string' },
  'tls-cert': { type: 'string' },
  'tls-key': { type: 'string' },
  'tls-ca': { type: 'string' },
  rate: { type: 'string' },
  fsync: { type: 'string' },
  'journal-damage': { type: 'string' },
  'when-locked': { type: 'string' },
  'wait-ms': { type: 'string' },
  queue: { type: 'string' },
  'max-k': { type: 'string' },
  rebalance: { type: 'string' },
  'keep-versions': { type: 'string' },
  canary: { type: 'string' },
  rows: { type: 'string' },
  'row-cache-bytes': { type: 'string' },
  'lame-duck-ms': { type: 'string' },
  'drain-ms': { type: 'string' },
  'log-level': { type: 'string' },
} as const;

const LOG_LEVELS: readonly string[] = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'];

/**
 * The options of the server, from the arguments of the command and the configuration file that `--config` names.
 *
 * @throws {UsageError} when an argument is wrong
 * @throws {DataError} when the content of a file is wrong
 */
export function serveOptions(argv: readonly string[]): ServerOptions {
  const { values, positionals } = parseArguments({ args: [...argv], options: OPTIONS, allowPositionals: true });
  const config = values.config === undefined ? {} : readConfigFile(values.config);
  const policy = values.policy === undefined ? undefined : readPolicy(values.policy);
  const configured = (config.models ?? []).map((model) => (policy ? { ...model, policy } : model));
  const models = positionals.length > 0 ? positionals.map((text) => readModel(text, policy)) : configured;
  if (models.length === 0) throw new UsageError('serve: expected at least one bundle, got none');
  const { 'tls-cert': cert, 'tls-key': key, 'tls-ca': ca } = values;
  if ((cert === undefined) !== (key === undefined))
    throw new UsageError('--tls-cert: expected --tls-cert and --tls-key together, got one of them');
  if (ca !== undefined && cert === undefined)
    throw new UsageError('--tls-ca: expected --tls-cert and --tls-key, too, got neither');
  const twice = models.find(({ name }, i) => models.findIndex((other) => other.name === name) < i);
  if (twice)
    throw new UsageError(
      `serve: expected a different name for each model, got ${twice.name} twice; NAME=BUNDLE sets a name`,
    );
  const { logLevel, limits, queue, ...rest } = config;
  const integer = (name: keyof typeof OPTIONS, min: number, max?: number): number | undefined =>
    given(values[name] as string | undefined, (text) => number(name, text, min, max));
  return {
    ...rest,
    ...defined({
      host: values.host,
      httpPort: integer('http-port', 0, 65_535),
      grpcPort: values['grpc-port'] === 'none' ? null : integer('grpc-port', 0, 65_535),
      processes: integer('processes', 1, PROCESSES_MAX),
      limits: { ...limits, ...defined({ k: integer('max-k', 1) }) },
      queue: { ...queue, ...defined({ waitMs: integer('wait-ms', 0), queued: integer('queue', 1) }) },
      fsync: given(values.fsync, readFsync),
      journalDamage: given(values['journal-damage'], (text) => choice('journal-damage', text, ['replay', 'refuse'])),
      whenLocked: given(values['when-locked'], (text) => choice('when-locked', text, ['serve', 'wait'])),
      rebalanceAfterShare: given(values.rebalance, (text) => share('rebalance', text)),
      keepVersions: integer('keep-versions', 1),
      canaryShare: given(values.canary, (text) => share('canary', text)),
      rows: given(values.rows, (text) => choice('rows', text, ['memory', 'file'])),
      rowCacheBytes: integer('row-cache-bytes', 0),
      keys: given(values.keys, readKeys),
      insecure: values.insecure,
      corsOrigins: given(values.cors, names),
      allowedHosts: given(values['allowed-hosts'], names),
      tls: cert === undefined ? undefined : { cert, key: key!, ca },
      requestsPerSecond: integer('rate', 1),
      lameDuckMs: integer('lame-duck-ms', 0),
      drainMs: integer('drain-ms', 0),
    }),
    models,
    logger: pino({ level: readLevel(values['log-level'] ?? logLevel ?? 'info') }, pino.destination(2)),
  };
}

/** The parsed value of an argument; undefined if it was not given. */
function given<T>(text: string | undefined, read: (text: string) => T): T | undefined {
  return text === undefined ? undefined : read(text);
}

/** The members of an object that are not undefined. */
function defined<T extends object>(members: T): { [Name in keyof T]: Exclude<T[Name], undefined> } {
  const entries = Object.entries(members).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [Name in keyof T]: Exclude<T[Name], undefined> };
}

function names(text: string): string[] {
  return text.split(',').filter((name) => name !== '');
}

/** Serve until a signal stops the process. */
export const serve: Command = async (argv, { stdout, signal }) => {
  const options = serveOptions(argv);
  for (const { path } of options.models) {
    if (!existsSync(path))
      throw new FileError(`${path}: expected a bundle or a folder, got a path that does not exist`);
  }
  const server = await ShortlistServer.start(options).catch((error: Error) => {
    // Error codes of a port that is in use or not permitted; an error of gRPC has the code only in its message.
    if (/\b(EADDRINUSE|EADDRNOTAVAIL|EACCES)\b/.test(error.message)) {
      throw new FileError(`cannot listen: ${error.message}`, { cause: error });
    }
    throw error;
  });
  const uninstall = closeOnSignals(server);
  const refused = invalidBundle(server, options.models);
  if (refused) {
    await server.close({ lameDuckMs: 0 });
    uninstall();
    throw refused;
  }
  const grpc = server.grpcPort === 0 ? '' : `, gRPC on port ${server.grpcPort}`;
  stdout.write(`${server.isReady ? 'Serving' : 'Not ready, see the log:'} HTTP on port ${server.httpPort}${grpc}\n`);
  await new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
  // Ctrl-C.
  await server.close({ lameDuckMs: 0 });
  uninstall();
  return 0;
};

/** The error if a named file is not a bundle. A folder is no error, because a valid version may be added to it later. */
function invalidBundle(server: ShortlistServer, models: readonly ModelConfig[]): DataError | undefined {
  for (const { name, path } of models) {
    const [record] = server.registry.find(name).records;
    // statSync returns undefined if the file was removed a moment ago.
    const isFolder = statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
    if (!isFolder && record?.errorMessage && record.errorCode !== 'UNAVAILABLE') {
      return new DataError(`${path}: expected a bundle: ${record.errorMessage}`);
    }
  }
  return undefined;
}

/** Parses NAME=PATH, or PATH alone, which is named after its file. */
function readModel(text: string, policy: VersionPolicy | undefined): ModelConfig {
  const at = text.indexOf('=');
  const path = text.slice(at + 1);
  return { name: at > 0 ? text.slice(0, at) : modelNameOf(path), path, ...(policy ? { policy } : {}) };
}

function readPolicy(text: string): VersionPolicy {
  if (text === 'latest') return { latest: 1 };
  if (text === 'all') return { all: true };
  try {
    return checkPolicy({ specific: text.split(',').map(Number) });
  } catch {
    throw new UsageError(`--policy: expected latest, all or version numbers, got ${JSON.stringify(text)}`);
  }
}

function readFsync(text: string): FsyncPolicy {
  return text === 'always' ? 'always' : { everyMs: number('fsync', text, 1) };
}

function readKeys(path: string): ApiKey[] {
  let keys: unknown;
  try {
    keys = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new FileError(`--keys: ${path} cannot be read as JSON: ${systemReason(error)}`, { cause: error });
  }
  if (!Array.isArray(keys)) throw new DataError(`--keys: ${path}: expected a list of keys, got ${typeof keys}`);
  return keys as ApiKey[];
}

function readLevel(text: string): string {
  if (LOG_LEVELS.includes(text)) return text;
  throw new UsageError(`--log-level: expected ${LOG_LEVELS.join(', ')}, got ${JSON.stringify(text)}`);
}

function number(name: string, text: string, min: number, max: number = Number.MAX_SAFE_INTEGER): number {
  const value = Number(text);
  if (text === '' || !Number.isSafeInteger(value) || value < min || value > max) {
    const range = max === Number.MAX_SAFE_INTEGER ? `of at least ${min}` : `from ${min} to ${max}`;
    throw new UsageError(`--${name}: expected a whole number ${range}, got ${JSON.stringify(text)}`);
  }
  return value;
}

function choice<Value extends string>(name: string, text: string, values: readonly Value[]): Value {
  const value = values.find((value) => value === text);
  if (value === undefined)
    throw new UsageError(`--${name}: expected ${values.join(' or ')}, got ${JSON.stringify(text)}`);
  return value;
}

function share(name: string, text: string): number {
  const value = Number(text);
  if (!(value >= 0 && value <= 1)) throw new UsageError(`--${name}: expected a number from 0 to 1, got ${text}`);
  return value;
}
