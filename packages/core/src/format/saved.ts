/**
 * The saved form of an object: its kind, its settings as JSON, its sections as bytes, and the saved forms of its parts. A tree
 * of saved objects becomes one container: all settings in the section `settings`, every other section under the
 * path of its part, `queryTower/table/parameters`.
 */
import { assert } from '../checks/assert.ts';
import { OptionError } from '../errors/errors.ts';
import type { SectionKind } from './layout.ts';
import type { Json, JsonObject } from './settings.ts';
import type { ContainerSection } from './writer.ts';

/** Raw bytes under a name that is unique in its object. */
export interface SavedSection {
  name: string;
  /**
   * The bytes in one piece or several. Pieces in the linear memory are loaded into one block of it, others into an
   * array.
   */
  bytes: Uint8Array | readonly Uint8Array[];
  /** The kind of memory that it is loaded into; default the kind of memory that its bytes are in. */
  kind?: SectionKind;
  /** The number of bytes that `read` yields, or that are written at their place later (placed-container.ts); `bytes` is then an empty list. */
  laterBytes?: number;
  /** Yields the bytes piece by piece, each valid until the next, each time that it is called. */
  read?: () => Iterable<Uint8Array>;
}

/** A saved object. */
export interface Saved {
  /** Names the loader: 'string-lookup', 'full', 'brute-force', … */
  kind: string;
  settings: JsonObject;
  sections: readonly SavedSection[];
  /** Savable objects it holds, by name. */
  parts?: Readonly<Record<string, Saved>>;
}

/** An object that can be saved at any moment. */
export interface Savable {
  save(): Saved;
}

/** The first section of a container: the settings of all its objects. */
export const SETTINGS_SECTION = 'settings';

/** Bytes of all sections of an object and its parts; settings are not counted. */
export function savedBytes(saved: Saved): number {
  const own = saved.sections.reduce((sum, { bytes, laterBytes = 0 }) => {
    const pieces = bytes instanceof Uint8Array ? [bytes] : bytes;
    return pieces.reduce((total, piece) => total + piece.length, sum + laterBytes);
  }, 0);
  return Object.values(saved.parts ?? {}).reduce((sum, part) => sum + savedBytes(part), own);
}

/** The bytes of an array of numbers. */
export function bytesOf(view: ArrayBufferView): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
}

/**
 * The sections of a container that holds a tree of saved objects.
 *
 * @throws {OptionError} when settings hold what JSON cannot: NaN, an infinity, a function, a cycle
 */
export function containerSections(saved: Saved): ContainerSection[] {
  const sections: ContainerSection[] = [];
  const tree = takeTree(saved, '', sections);
  const text = new TextEncoder().encode(JSON.stringify(tree));
  return [{ name: SETTINGS_SECTION, kind: 'settings', pieces: [text] }, ...sections];
}

function takeTree(saved: Saved, path: string, sections: ContainerSection[]): JsonObject {
  for (const { name, bytes, kind, laterBytes = 0, read } of saved.sections) {
    const pieces = bytes instanceof Uint8Array ? [bytes] : bytes;
    sections.push({ name: path + checkSegment(name), kind: kind ?? kindOf(pieces), pieces, laterBytes, read });
  }
  const parts = Object.entries(saved.parts ?? {}).map(([name, part]) => [
    name,
    takeTree(part, `${path}${checkSegment(name)}/`, sections),
  ]);
  checkJson(saved.settings, `${path}settings`);
  return { kind: saved.kind, settings: saved.settings, parts: Object.fromEntries(parts) };
}

/** A heap's memory is shared, and nothing else of the library is. */
function kindOf(pieces: readonly Uint8Array[]): SectionKind {
  const shared = pieces.filter(({ buffer }) => isShared(buffer)).length;
  assert(shared === 0 || shared === pieces.length, 'saved: a section stands in one kind of memory');
  return shared > 0 ? 'memory' : 'bytes';
}

/** By its name: a browser without cross-origin isolation has shared memories, and no global `SharedArrayBuffer`. */
function isShared(buffer: ArrayBufferLike): boolean {
  return buffer[Symbol.toStringTag] === 'SharedArrayBuffer';
}

function checkSegment(name: string): string {
  assert(name !== '' && !name.includes('/') && name !== SETTINGS_SECTION, `saved: a part or section named ${name}`);
  return name;
}

/** Refuse values that JSON would change. The exception is -0, which is read back as 0; no setting depends on its sign. */
function checkJson(value: Json, path: string): void {
  if (typeof value === 'number' && !Number.isFinite(value)) {
    throw new OptionError(`${path}: expected finite numbers, got ${value}`);
  }
  if (value === null || ['string', 'number', 'boolean'].includes(typeof value)) return;
  if (typeof value !== 'object') throw new OptionError(`${path}: expected JSON values, got ${typeof value}`);
  for (const [key, item] of Object.entries(value)) checkJson(item, `${path}.${key}`);
}
