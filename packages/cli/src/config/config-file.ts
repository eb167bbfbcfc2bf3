/**
 * Turns the configuration file of a project into arguments of a command: `{"train": {"files": "ratings.csv",
 * "titleColumn": "name"}}` means `shortlist train ratings.csv --title-column=name`. Options on the command line override it.
 */
import { existsSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { COMMAND_NAMES } from '../help.ts';
import { type PageOption, pageOptions } from './page-options.ts';

/** Names of a configuration file. The first of them that exists in the current folder is read. */
export const CONFIG_FILES: readonly string[] = [
  'shortlist.config.ts',
  'shortlist.config.mjs',
  'shortlist.config.js',
  'shortlist.config.json',
];

/** The arguments of the command line and of the configuration file together. */
export interface ConfiguredArguments {
  readonly argv: readonly string[];
  /** The entries that were used, as `shortlist.config.json: items, budget`; undefined if none was. */
  readonly note: string | undefined;
}

/**
 * The arguments of a command, and those that the configuration file adds.
 *
 * @throws {FileError} when the file cannot be read
 * @throws {DataError} when it is no configuration, or has a name that is unknown
 */
export async function configuredArguments(command: string, argv: readonly string[]): Promise<ConfiguredArguments> {
  const path = CONFIG_FILES.find((name) => existsSync(name));
  if (path === undefined) return { argv, note: undefined };
  const section = (await readConfig(path))[command];
  if (section === undefined) return { argv, note: undefined };
  const options = pageOptions(command);
  const used: string[] = [];
  const added: string[] = [];
  for (const [key, value] of Object.entries(section)) {
    if (key === 'files') continue;
    const { name, hasValue, hasOpposite } = options.find((option) => option.key === key)!;
    if (isGiven(name, argv)) continue;
    used.push(key);
    if (hasValue) added.push(`--${name}=${isRecord(value) ? JSON.stringify(value) : String(value)}`);
    else if (value === true) added.push(`--${name}`);
    else if (hasOpposite) added.push(`--no-${name}`);
  }
  const files = filesOf(section);
  const ownFiles = files.length > 0 && !hasPositional(argv, options);
  if (ownFiles) used.unshift('files');
  // Options come first, because after -- every argument is a file.
  return {
    argv: [...added, ...(ownFiles ? files : []), ...argv],
    note: used.length === 0 ? undefined : `${path}: ${used.join(', ')}`,
  };
}

type Sections = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

async function readConfig(path: string): Promise<Sections> {
  const { DataError, FileError } = await import('shortlist');
  const { systemReason } = await import('shortlist/node');
  let config: unknown;
  if (path.endsWith('.json')) {
    const text = await readFile(path, 'utf8').catch((error: Error) => {
      throw new FileError(`${path} cannot be read: ${systemReason(error)}`, { cause: error });
    });
    try {
      config = JSON.parse(text);
    } catch (error) {
      throw new DataError(`${path}: expected JSON, got ${(error as Error).message}`);
    }
  } else {
    try {
      config = await importConfig(path);
    } catch (error) {
      throw new DataError(`${path}: cannot be run: ${(error as Error).message}`);
    }
  }
  await checkConfig(path, config);
  return config as Sections;
}

/** The default export of a module. Versions of Node that cannot import TypeScript use jiti. */
async function importConfig(path: string): Promise<unknown> {
  const isTyped = path.endsWith('.ts') && !('typescript' in process.features && process.features.typescript);
  if (!isTyped) {
    const url = pathToFileURL(resolve(path));
    // Node caches modules by their URL: a changed file needs another URL.
    url.search = String(statSync(path).mtimeMs);
    return ((await import(url.href)) as { default?: unknown }).default;
  }
  const { createJiti } = await import('jiti');
  return await createJiti(import.meta.url, { moduleCache: false, fsCache: false }).import(resolve(path), {
    default: true,
  });
}

/** Checks all names and types. @throws {DataError} naming the wrong entry */
async function checkConfig(path: string, config: unknown): Promise<void> {
  const { DataError } = await import('shortlist');
  const { nearestName } = await import('shortlist/options');
  const check = (holds: boolean, place: string, expected: string, value: unknown): void => {
    if (!holds) throw new DataError(`${place}: expected ${expected}, got ${JSON.stringify(value)}`);
  };
  const known = (name: string, names: readonly string[], place: string, kind: string): void => {
    if (names.includes(name)) return;
    const nearest = nearestName(name, names);
    const hint = nearest === undefined ? `one of ${names.join(', ')}` : `the nearest is ${nearest}`;
    throw new DataError(`${place}: expected the name of ${kind} (${hint}), got ${JSON.stringify(name)}`);
  };
  check(isRecord(config), path, 'an object with a section for each command', config);
  for (const [command, section] of Object.entries(config as object)) {
    if (command === '$schema') continue;
    known(command, COMMAND_NAMES, path, 'a command');
    const place = `${path}: ${command}`;
    check(isRecord(section), place, 'an object of options', section);
    const options = pageOptions(command);
    for (const [key, value] of Object.entries(section as object)) {
      known(key, ['files', ...options.map((option) => option.key)], place, 'an option');
      const at = `${place}.${key}`;
      const option = options.find((each) => each.key === key);
      if (key === 'files')
        check(isText(value) || (Array.isArray(value) && value.every(isText)), at, 'a path or a list of paths', value);
      else if (key === 'features') check(isText(value) || isRecord(value), at, 'the path of a spec or a spec', value);
      else if (option!.hasValue) check(isText(value) || typeof value === 'number', at, 'text or a number', value);
      else check(typeof value === 'boolean', at, 'true or false', value);
    }
  }
}

function isRecord(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isText(value: unknown): boolean {
  return typeof value === 'string';
}

function filesOf({ files = [] }: Readonly<Record<string, unknown>>): readonly string[] {
  return typeof files === 'string' ? [files] : (files as readonly string[]);
}

function isGiven(name: string, argv: readonly string[]): boolean {
  return argv.some((word) => word === `--${name}` || word === `--no-${name}` || word.startsWith(`--${name}=`));
}

/** True if the command line has a positional argument. */
function hasPositional(argv: readonly string[], options: readonly PageOption[]): boolean {
  for (let i = 0; i < argv.length; i++) {
    const word = argv[i]!;
    if (word === '--') return i + 1 < argv.length;
    if (!word.startsWith('-')) return true;
    const hasValue = options.some((option) => option.hasValue && word === `--${option.name}`);
    if (hasValue) i++;
  }
  return false;
}
