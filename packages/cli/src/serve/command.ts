/** `shortlist serve`: bundles over HTTP and gRPC until a signal comes. */
import { existsSync, readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
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
import { type Command, UsageError } from '../terminal/command.ts';

const OPTIONS = {
  host: { type: 'string', default: '127.0.0.1' },
  'http-port': { type: 'string', default: '8501' },
  'grpc-port': { type: 'string', default: '8500' },
  processes: { type: 'string', default: '1' },
  policy: { type: 'string', default: 'latest' },
  keys: { type: 'string' },
  'tls-cert': { type: 'string' },
  'tls-key': { type: 'string' },
  'tls-ca': { type: 'string' },
  rate: { type: 'string' },
  fsync: { type: 'string', default: '10' },
  'wait-ms': { type: 'string', default: '0' },
  queue: { type: 'string', default: '1024' },
  'max-k': { type: 'string', default: '1000' },
  rebalance: { type: 'string' },
  canary: { type: 'string', default: '0.001' },
  'log-level': { type: 'string', default: 'info' },
} as const;

const LOG_LEVELS: readonly string[] = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'];

/** The server's options from the command's arguments. @throws {UsageError} */
export function serveOptions(argv: readonly string[]): ServerOptions {
  const { values, positionals } = parseArgs({ args: [...argv], options: OPTIONS, allowPositionals: true });
  if (positionals.length === 0) throw new UsageError('serve: expected at least one bundle, got none');
  const policy = readPolicy(values.policy);
  const { 'tls-cert': cert, 'tls-key': key, 'tls-ca': ca } = values;
  if ((cert === undefined) !== (key === undefined)) throw new UsageError('--tls-cert and --tls-key go together');
  if (ca !== undefined && cert === undefined) throw new UsageError('--tls-ca: expected --tls-cert and --tls-key, too');
  const grpcPort = values['grpc-port'];
  const models = positionals.map((text) => readModel(text, policy));
  const twice = models.find(({ name }, i) => models.findIndex((other) => other.name === name) < i);
  if (twice)
    throw new UsageError(`serve: expected names that differ, got ${twice.name} twice; NAME=BUNDLE gives another`);
  return {
    models,
    host: values.host,
    httpPort: number('http-port', values['http-port'], 0, 65_535),
    grpcPort: grpcPort === 'none' ? null : number('grpc-port', grpcPort, 0, 65_535),
    processes: number('processes', values.processes, 1, PROCESSES_MAX),
    limits: { k: number('max-k', values['max-k'], 1) },
    queue: { waitMs: number('wait-ms', values['wait-ms'], 0), queued: number('queue', values.queue, 1) },
    fsync: readFsync(values.fsync),
    ...(values.rebalance === undefined ? {} : { rebalanceAfterShare: share('rebalance', values.rebalance) }),
    canaryShare: share('canary', values.canary),
    ...(values.keys === undefined ? {} : { keys: readKeys(values.keys) }),
    ...(cert === undefined ? {} : { tls: { cert, key: key!, ca } }),
    ...(values.rate === undefined ? {} : { requestsPerSecond: number('rate', values.rate, 1) }),
    logger: pino({ level: readLevel(values['log-level']) }, pino.destination(2)),
  };
}

/** Serve until the process is told to stop. */
export const serve: Command = async (argv, { stdout, signal }) => {
  const options = serveOptions(argv);
  for (const { path } of options.models) {
    if (!existsSync(path)) throw new FileError(`${path}: expected a bundle or a folder, there is nothing`);
  }
  const server = await ShortlistServer.start(options).catch((error: Error) => {
    // The system's word for a port that is taken or not ours; gRPC has it in the message only.
    if (/\b(EADDRINUSE|EADDRNOTAVAIL|EACCES)\b/.test(error.message)) {
      throw new FileError(`cannot listen: ${error.message}`, { cause: error });
    }
    throw error;
  });
  const uninstall = closeOnSignals(server);
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

/** NAME=PATH, or PATH alone with the name of its file. */
function readModel(text: string, policy: VersionPolicy): ModelConfig {
  const at = text.indexOf('=');
  const path = text.slice(at + 1);
  return { name: at > 0 ? text.slice(0, at) : modelNameOf(path), path, policy };
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
    throw new FileError(`--keys: ${path} cannot be read as JSON`, { cause: error });
  }
  if (!Array.isArray(keys)) throw new DataError(`--keys: ${path}: expected a list of keys, got something else`);
  return keys as ApiKey[];
}

function readLevel(text: string): string {
  if (LOG_LEVELS.includes(text)) return text;
  throw new UsageError(`--log-level: expected ${LOG_LEVELS.join(', ')}, got ${JSON.stringify(text)}`);
}

function number(name: string, text: string, min: number, max: number = Number.MAX_SAFE_INTEGER): number {
  const value = Number(text);
  if (text === '' || !Number.isSafeInteger(value) || value < min || value > max) {
    throw new UsageError(`--${name}: expected a whole number of at least ${min}, got ${JSON.stringify(text)}`);
  }
  return value;
}

function share(name: string, text: string): number {
  const value = Number(text);
  if (!(value >= 0 && value <= 1)) throw new UsageError(`--${name}: expected a number from 0 to 1, got ${text}`);
  return value;
}
