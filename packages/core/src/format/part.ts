/**
 * A saved object as it comes back: a loader takes its settings, sections and parts by name, each once, and what it
 * leaves is refused, so that nothing in a file is silently ignored.
 */
import { FormatError } from '../errors/errors.ts';
import type { Block } from '../memory/heap.ts';
import type { Runtime } from '../parallel/runtime.ts';
import { type LoadedSection, readContainer } from './reader.ts';
import { SETTINGS_SECTION } from './saved.ts';
import { type Json, parseJson, SettingsReader } from './settings.ts';
import type { Source } from './source.ts';

/** Turns a saved object into a live one; `load` turns its parts into theirs. */
export type Loader<T = unknown> = (part: Part, load: (part: Part) => unknown) => T;

/** The sections of a container that were not taken yet. */
type Sections = Map<string, LoadedSection>;

/** One saved object of a container. */
export class Part {
  readonly runtime: Runtime;
  /** '' for the whole file, else 'queryTower', 'queryTower/table', … */
  readonly path: string;
  readonly kind: string;
  readonly settings: SettingsReader;
  readonly #parts: SettingsReader;
  readonly #node: SettingsReader;
  readonly #sections: Sections;
  readonly #origin: LoadedSection;

  constructor(tree: Json | undefined, path: string, sections: Sections, origin: LoadedSection, runtime: Runtime) {
    this.runtime = runtime;
    this.path = path;
    this.#sections = sections;
    this.#origin = origin;
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
    return new Part(this.#parts.json(name), path, this.#sections, this.#origin, this.runtime);
  }

  /**
   * A section in the linear memory; the caller owns the block.
   *
   * @param sizeBytes what the settings say it must have
   */
  memory(name: string, sizeBytes: number): Block {
    const section = this.#take(name, sizeBytes);
    if (!section.block)
      throw this.error(name, `expected a section of kind memory, got ${section.kind}`, section.offset);
    return section.block;
  }

  /**
   * A section as bytes outside the linear memory, aligned to 8; the caller owns them.
   *
   * @param sizeBytes what the settings say it must have; without it, whatever there is
   */
  bytes(name: string, sizeBytes?: number): Uint8Array {
    const section = this.#take(name, sizeBytes);
    if (section.kind !== 'bytes') {
      throw this.error(name, `expected a section of kind bytes, got ${section.kind}`, section.offset);
    }
    return section.bytes;
  }

  /** The error that says what is wrong with a section of this object. */
  error(name: string, message: string, offset: number = this.#origin.offset): FormatError {
    return new FormatError(this.#nameOf(name), offset, message);
  }

  /** Say that everything was taken. */
  finish(): void {
    this.settings.finish();
    this.#parts.finish();
    this.#node.finish();
  }

  #take(name: string, sizeBytes: number | undefined): LoadedSection {
    const section = this.#sections.get(this.#nameOf(name));
    if (!section) throw this.error(name, 'expected a section of this name, got none');
    if (sizeBytes !== undefined && section.bytes.length !== sizeBytes) {
      throw this.error(name, `expected ${sizeBytes} bytes, got ${section.bytes.length}`, section.offset);
    }
    this.#sections.delete(section.name);
    return section;
  }

  #nameOf(name: string): string {
    return this.path === '' ? name : `${this.path}/${name}`;
  }
}

/**
 * Read a container and load the tree of objects in it.
 *
 * @param loaders by kind
 * @param kind what the whole must be: 'bundle', 'checkpoint'
 * @throws {FormatError} when anything is missing, damaged, unknown or left over
 */
export async function readSaved(
  source: Source,
  kind: string,
  loaders: Readonly<Record<string, Loader>>,
  runtime: Runtime,
): Promise<unknown> {
  const list = await readContainer(source, runtime);
  try {
    return loadTree(list, kind, loaders, runtime);
  } catch (error) {
    for (const section of list) section.block?.free();
    throw error;
  }
}

function loadTree(
  list: readonly LoadedSection[],
  kind: string,
  loaders: Readonly<Record<string, Loader>>,
  runtime: Runtime,
): unknown {
  const [origin, ...rest] = list;
  if (origin?.name !== SETTINGS_SECTION || origin.kind !== 'settings') {
    throw new FormatError(origin?.name ?? 'section table', origin?.offset ?? 0, 'expected the settings to come first');
  }
  const sections: Sections = new Map(rest.map((section) => [section.name, section]));
  const root = new Part(parseJson(origin.bytes, origin.name, origin.offset), '', sections, origin, runtime);
  if (root.kind !== kind) {
    throw new FormatError(origin.name, origin.offset, `kind: expected ${kind}, got ${JSON.stringify(root.kind)}`);
  }
  const load = (part: Part): unknown => {
    const loader = Object.hasOwn(loaders, part.kind) ? loaders[part.kind] : undefined;
    if (!loader) {
      const message = `${part.path} kind: expected one of ${Object.keys(loaders).join(', ')}, got ${JSON.stringify(part.kind)}`;
      throw new FormatError(origin.name, origin.offset, message);
    }
    const loaded = loader(part, load);
    part.finish();
    return loaded;
  };
  const loaded = load(root);
  for (const section of sections.values()) {
    throw new FormatError(section.name, section.offset, 'expected no such section; a newer Shortlist may know it');
  }
  return loaded;
}
