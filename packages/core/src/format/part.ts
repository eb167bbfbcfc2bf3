/**
 * A saved object as its loader sees it. The loader takes settings, sections and parts by name, each once; anything that it
 * does not take is an error, so that nothing in a file is silently ignored.
 */
import { FormatError, MemoryError, OptionError, ShortlistError } from '../errors/errors.ts';
import type { Block } from '../memory/heap.ts';
import type { Runtime } from '../parallel/runtime.ts';
import { finishAsync } from '../parallel/steps.ts';
import { type FileSection, freeSections, type LoadedSection, type ReadOptions, readContainer } from './reader.ts';
import { SETTINGS_SECTION } from './saved.ts';
import { type Json, parseJson, SettingsReader } from './settings.ts';
import type { Source } from './source.ts';

/** The loader of each kind of saved object. */
export type Loaders<T, A extends readonly unknown[] = []> = Readonly<Record<string, (part: Part, ...given: A) => T>>;

/** The path of a part that is a segment of an index. */
const SEGMENT_PATH = /(?:^|\/)segment-\d+$/;

/** The state that all parts of a container share. */
interface Container {
  /** The sections that no loader has taken yet. */
  readonly sections: Map<string, LoadedSection>;
  readonly origin: LoadedSection;
  readonly checks: Generator<void, void>[];
}

/** One saved object of a container. */
export class Part {
  readonly runtime: Runtime;
  /** '' for the whole file, else 'queryTower', 'queryTower/table', … */
  readonly path: string;
  readonly kind: string;
  readonly settings: SettingsReader;
  readonly #parts: SettingsReader;
  readonly #node: SettingsReader;
  readonly #container: Container;

  constructor(tree: Json | undefined, path: string, container: Container, runtime: Runtime) {
    this.runtime = runtime;
    this.path = path;
    this.#container = container;
    const { origin } = container;
    this.#node = new SettingsReader(tree, path, origin.name, origin.offset);
    this.kind = this.#node.string('kind');
    this.settings = this.#node.object('settings');
    this.#parts = this.#node.object('parts');
  }

  /** The names of the parts, in their order. */
  partNames(): string[] {
    return this.#parts.keys();
  }

  /** A part by name. */
  part(name: string): Part {
    const path = this.path === '' ? name : `${this.path}/${name}`;
    return new Part(this.#parts.json(name), path, this.#container, this.#runtimeOf(path));
  }

  /**
   * A section in the linear memory; the caller owns the block.
   *
   * @param sizeBytes the size that follows from the settings
   */
  memory(name: string, sizeBytes: number): Block {
    const section = this.#take(name, sizeBytes);
    if (section.inFile) throw new OptionError('rows: expected "memory" for this kind of index, got "file"');
    if (!section.block)
      throw this.error(name, `expected a section of kind memory, got ${section.kind}`, section.offset);
    return section.block;
  }

  /** The place of a section that stays in the file; undefined for a section that was read, or where there is none. */
  inFile(name: string, sizeBytes: number): FileSection | undefined {
    if (!this.#container.sections.get(this.#nameOf(name))?.inFile) return undefined;
    return this.#take(name, sizeBytes).inFile;
  }

  /**
   * A section as bytes outside the linear memory, aligned to 8; the caller owns them.
   *
   * @param sizeBytes the size that follows from the settings; without it any size is accepted
   */
  bytes(name: string, sizeBytes?: number): Uint8Array {
    const section = this.#take(name, sizeBytes);
    if (section.kind !== 'bytes') {
      throw this.error(name, `expected a section of kind bytes, got ${section.kind}`, section.offset);
    }
    return section.bytes;
  }

  /** The error about a section of this object; `message` says what is wrong with it. */
  error(name: string, message: string, offset: number = this.#container.origin.offset): FormatError {
    return new FormatError(this.#nameOf(name), offset, message);
  }

  /** The error about the whole object; `message` says what is wrong with it. */
  refusal(message: string): FormatError {
    return this.#node.error('', message);
  }

  /**
   * Add a check of the content of sections. It runs in short steps after the object is loaded and before the caller gets it;
   * where it fails it throws an error made by `error`.
   */
  checkLater(check: Generator<void, void>): void {
    this.#container.checks.push(check);
  }

  /** Refuse settings, sections and parts that were not taken. */
  finish(): void {
    this.settings.finish();
    this.#parts.finish();
    this.#node.finish();
  }

  #take(name: string, sizeBytes: number | undefined): LoadedSection {
    const { sections } = this.#container;
    const section = sections.get(this.#nameOf(name));
    if (!section) throw this.error(name, 'expected a section of this name, got none');
    const size = section.inFile?.sizeBytes ?? section.bytes.length;
    if (sizeBytes !== undefined && size !== sizeBytes) {
      throw this.error(name, `expected ${sizeBytes} bytes, got ${size}`, section.offset);
    }
    sections.delete(section.name);
    return section;
  }

  /** The runtime of a part: a segment of an index has one of its own. */
  #runtimeOf(path: string): Runtime {
    if (!SEGMENT_PATH.test(path)) return this.runtime;
    for (const { name, runtime } of this.#container.sections.values()) if (name.startsWith(`${path}/`)) return runtime;
    return this.runtime;
  }

  #nameOf(name: string): string {
    return this.path === '' ? name : `${this.path}/${name}`;
  }
}

/**
 * Load a saved object by the loader of its kind, and refuse anything that the loader did not take. An error of a constructor
 * means that the file holds impossible values, so it becomes a FormatError.
 *
 * @param given arguments of the loader beside the part: the loader of an index gets its query model
 * @throws {FormatError} when there is no such kind or something is left over
 */
export function loadPart<T, A extends readonly unknown[]>(part: Part, loaders: Loaders<T, A>, ...given: A): T {
  const load = Object.hasOwn(loaders, part.kind) ? loaders[part.kind] : undefined;
  if (!load) {
    throw part.refusal(`kind: expected one of ${Object.keys(loaders).join(', ')}, got ${JSON.stringify(part.kind)}`);
  }
  try {
    const loaded = load(part, ...given);
    part.finish();
    return loaded;
  } catch (error) {
    if (!(error instanceof ShortlistError) || error instanceof FormatError || error instanceof MemoryError) throw error;
    throw part.refusal(error.message);
  }
}

/**
 * Read a container and load the object in it; the event loop comes around while it is read and checked.
 *
 * @param load makes the live object of the root; blocks of the linear memory belong to what it returns
 * @throws {FormatError} when anything is missing, damaged, unknown or left over
 */
export async function readSaved<T>(
  source: Source,
  load: (root: Part) => T,
  runtime: Runtime,
  options: ReadOptions = {},
): Promise<T> {
  const list = await readContainer(source, runtime, options);
  try {
    const { loaded, checks } = loadTree(list, load, runtime);
    for (const check of checks) await finishAsync(check);
    return loaded;
  } catch (error) {
    freeSections(list, runtime);
    throw error;
  }
}

function loadTree<T>(
  list: readonly LoadedSection[],
  load: (root: Part) => T,
  runtime: Runtime,
): { loaded: T; checks: readonly Generator<void, void>[] } {
  const [origin, ...rest] = list;
  if (origin?.name !== SETTINGS_SECTION || origin.kind !== 'settings') {
    throw new FormatError(origin?.name ?? 'section table', origin?.offset ?? 0, 'expected the settings to come first');
  }
  const sections = new Map(rest.map((section) => [section.name, section]));
  const checks: Generator<void, void>[] = [];
  const tree = parseJson(origin.bytes, origin.name, origin.offset);
  const loaded = load(new Part(tree, '', { sections, origin, checks }, runtime));
  for (const section of sections.values()) {
    throw new FormatError(
      section.name,
      section.offset,
      'expected only sections that this version knows, got an unknown one; a newer version of Shortlist may have written it',
    );
  }
  return { loaded, checks };
}
