/**
 * Reads the configuration file of `shortlist serve`: a JSON object with the options of `ServerOptions` under their names
 * (docs/serving.md lists them), and `logLevel`. Options on the command line override it. The error for an unknown name or a
 * wrong value names its place in the file.
 */
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { checkPolicy, type ServerOptions } from '@shortlist/server';
import { DataError, FileError } from 'shortlist';
import { systemReason } from 'shortlist/node';
import { nearestName } from 'shortlist/options';

/** The content of a configuration file. */
export type ConfigFile = Partial<Omit<ServerOptions, 'logger'>> & { logLevel?: string };

/** Checks a value at a place. @throws {DataError} */
type Check = (value: unknown, place: string) => void;

function expected(what: string, holds: (value: unknown) => boolean): Check {
  return (value, place) => {
    if (!holds(value)) throw new DataError(`${place}: expected ${what}, got ${JSON.stringify(value)}`);
  };
}

const text = expected('text', (value) => typeof value === 'string' && value !== '');
const flag = expected('true or false', (value) => typeof value === 'boolean');
const count = expected(
  'a whole number of at least 0',
  (value) => Number.isSafeInteger(value) && (value as number) >= 0,
);
const positive = expected(
  'a whole number of at least 1',
  (value) => Number.isSafeInteger(value) && (value as number) >= 1,
);
const share = expected('a number from 0 to 1', (value) => typeof value === 'number' && value >= 0 && value <= 1);
const port = expected(
  'a port from 0 to 65535',
  (value) => Number.isInteger(value) && (value as number) >= 0 && (value as number) <= 65_535,
);

function oneOf(values: readonly string[]): Check {
  return expected(values.join(' or '), (value) => values.includes(value as string));
}

function listOf(check: Check): Check {
  return (value, place) => {
    if (!Array.isArray(value)) throw new DataError(`${place}: expected a list, got ${JSON.stringify(value)}`);
    value.forEach((item, i) => check(item, `${place}[${i}]`));
  };
}

function record(fields: Readonly<Record<string, Check>>, required: readonly string[] = []): Check {
  return (value, place) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw new DataError(`${place}: expected an object, got ${JSON.stringify(value)}`);
    }
    for (const [name, item] of Object.entries(value)) {
      if (!Object.hasOwn(fields, name)) {
        const known = Object.keys(fields).join(', ');
        const nearest = nearestName(name, Object.keys(fields));
        const help = nearest === undefined ? `expected one of ${known}` : `did you mean ${JSON.stringify(nearest)}?`;
        throw new DataError(`${place}: unknown name ${JSON.stringify(name)}, ${help}`);
      }
      fields[name]!(item, `${place}.${name}`);
    }
    for (const name of required)
      if (!Object.hasOwn(value, name)) throw new DataError(`${place}: expected ${name}, got none`);
  };
}

const policy: Check = (value, place) => {
  try {
    checkPolicy(value);
  } catch (error) {
    throw new DataError(`${place}: ${(error as Error).message}`);
  }
};
const labels: Check = (value, place) => {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  if (!isObject) throw new DataError(`${place}: expected labels with their versions, got ${JSON.stringify(value)}`);
  for (const [name, version] of Object.entries(value)) count(version, `${place}.${name}`);
};
const fsync: Check = (value, place) => {
  if (value !== 'always') record({ everyMs: positive }, ['everyMs'])(value, place);
};
const grpcPort: Check = (value, place) => {
  if (value !== null) port(value, place);
};

/** The check of each option. */
const FIELDS: Readonly<Record<Exclude<keyof ConfigFile, undefined>, Check>> = {
  models: listOf(record({ name: text, path: text, policy, labels }, ['name', 'path'])),
  host: text,
  httpPort: port,
  grpcPort,
  processes: positive,
  limits: record({
    queries: positive,
    k: positive,
    bodyBytes: positive,
    deadlineMs: positive,
    arrivalMs: positive,
    pingMs: positive,
  }),
  queue: record({ batch: positive, waitMs: count, queued: positive, sliceMs: positive }),
  keys: listOf(record({ name: text, sha256: text, role: text }, ['name', 'sha256', 'role'])),
  tls: record({ cert: text, key: text, ca: text }, ['cert', 'key']),
  corsOrigins: listOf(text),
  allowedHosts: listOf(text),
  insecure: flag,
  requestsPerSecond: positive,
  fsync,
  journalDamage: oneOf(['replay', 'refuse']),
  whenLocked: oneOf(['serve', 'wait']),
  compactAfterBytes: positive,
  rebalanceAfterShare: share,
  keepVersions: positive,
  canaryShare: share,
  rows: oneOf(['memory', 'file']),
  rowCacheBytes: count,
  pollMs: count,
  lameDuckMs: count,
  drainMs: count,
  logLevel: text,
};

/**
 * Read a configuration file. Paths in it are relative to its folder.
 *
 * @throws {FileError} when it cannot be read
 * @throws {DataError} when it is not JSON, a name is unknown or a value is wrong
 */
export function readConfigFile(path: string): ConfigFile {
  let content: string;
  try {
    content = readFileSync(path, 'utf8');
  } catch (error) {
    throw new FileError(`--config: ${path} cannot be read: ${systemReason(error)}`, { cause: error });
  }
  let config: unknown;
  try {
    config = JSON.parse(content);
  } catch (error) {
    throw new DataError(`--config: ${path}: expected JSON, got ${(error as Error).message}`);
  }
  record(FIELDS)(config, path);
  const { models, tls, ...rest } = config as ConfigFile;
  const at = (file: string): string => resolve(dirname(path), file);
  return {
    ...rest,
    ...(models ? { models: models.map((model) => ({ ...model, path: at(model.path) })) } : {}),
    ...(tls ? { tls: { cert: at(tls.cert), key: at(tls.key), ...(tls.ca ? { ca: at(tls.ca) } : {}) } } : {}),
  };
}
