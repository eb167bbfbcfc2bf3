/**
 * Saves and loads an exact index. Functions beside the class, so that a bundler leaves them out of a program that does
 * neither.
 */
import { SEGMENTS_MAX } from '../../format/layout.ts';
import type { Part } from '../../format/part.ts';
import type { Saved, SavedSection } from '../../format/saved.ts';
import type { Identifier, QueryModel } from '../contract.ts';
import type { Identifiers } from '../identifiers.ts';
import { loadIdentifiers, saveIdentifiers } from '../saved-identifiers.ts';
import { segmentPartName } from '../scann/segments/saved-segments.ts';
import { segmentsOf } from '../scann/segments/segments.ts';
import { BruteForce } from './brute-force.ts';
import { HeldCandidates } from './held-candidates.ts';
import type { RowStore } from './layout.ts';
import { CHUNK_ROWS, PANEL_ROWS, PanelStore, packedBytes } from './panel-store.ts';
import { rowsOfSegment, SegmentedStore } from './segments/segmented-store.ts';

/** The kind of the part that holds the candidates of a segment. */
const SEGMENT = 'brute-force-segment';

/** Rows are int32 in the kernels. */
const ROWS_MAX = 0x7fff_ffff;

/**
 * Settings, identifiers and packed candidates, without deleted ones and without the query model; the candidates of a
 * segment are a part of its own. The bytes are views that are valid until the candidates change, or copies where rows are
 * left out.
 *
 * @throws {StateError} before `index`
 */
export function saveBruteForce<Q, I extends Identifier>(index: BruteForce<Q, I>): Saved {
  const { store, identifiers, liveRows } = index.held;
  const { dimensions } = store;
  const rows = liveRows?.length ?? store.rows;
  const kept = liveRows ? identifiers.part(liveRows) : identifiers;
  const parts = { identifiers: saveIdentifiers(kept, identifiers.columnType) };
  const settings = { k: index.k, rows, dimensions };
  if (!(store instanceof SegmentedStore)) {
    const bytes = liveRows ? [packed(store, liveRows)] : pieces(store as PanelStore);
    return { kind: 'brute-force', settings, sections: [candidates(bytes)], parts };
  }
  const { segmentBytes } = store;
  const segments = segmentSizes(rows, dimensions, segmentBytes).map((count, s): [string, Saved] => {
    const first = s * store.segmentRows;
    const bytes = liveRows ? [packed(store, liveRows.subarray(first, first + count))] : pieces(store.segments[s]!);
    return [segmentPartName(s), { kind: SEGMENT, settings: { rows: count }, sections: [candidates(bytes)] }];
  });
  return {
    kind: 'brute-force',
    settings: { ...settings, segmentBytes },
    sections: [],
    parts: { ...Object.fromEntries(segments), ...parts },
  };
}

/**
 * Load a saved index; its candidates stay in the memory blocks that they were read into.
 *
 * @throws {FormatError} when settings and sections do not fit together
 */
export function loadBruteForce<Q, I extends Identifier>(part: Part, queryModel?: QueryModel<Q>): BruteForce<Q, I> {
  const { runtime, settings } = part;
  const k = settings.integer('k', { min: 1 });
  const rows = settings.integer('rows', { max: ROWS_MAX });
  const dimensions = settings.integer('dimensions', { min: Math.min(rows, 1), max: ROWS_MAX });
  // Files of older versions do not have this field.
  const segments = settings.has('segmentBytes') ? segmentsOf(settings.integer('segmentBytes', { min: 1 })) : undefined;
  const index = new BruteForce<Q, I>({ queryModel, k, runtime, ...(segments && { segments }) });
  const store = segments
    ? loadSegments(part, rows, dimensions, segments.segmentBytes)
    : loadStore(part, rows, dimensions);
  const identifiers = loadIdentifiers(part.part('identifiers'), rows) as Identifiers<I>;
  index.restore(new HeldCandidates(store, identifiers, segments?.exact));
  return index;
}

function loadStore(part: Part, rows: number, dimensions: number): PanelStore {
  return PanelStore.adopt(part.runtime, part.memory('candidates', packedBytes(rows, dimensions)), rows, dimensions);
}

function loadSegments(part: Part, rows: number, dimensions: number, segmentBytes: number): SegmentedStore {
  const stores = segmentSizes(rows, dimensions, segmentBytes).map((count, s) => {
    const own = part.part(segmentPartName(s));
    if (own.kind !== SEGMENT) throw own.refusal(`kind: expected ${SEGMENT}, got ${own.kind}`);
    const found = own.settings.integer('rows', { min: 1 });
    if (found !== count) throw own.settings.error('rows', `expected ${count} of the ${rows} rows, got ${found}`);
    const store = loadStore(own, count, dimensions);
    own.finish();
    return store;
  });
  return new SegmentedStore(part.runtime, segmentBytes, stores);
}

/** The rows of each segment. */
function segmentSizes(rows: number, dimensions: number, segmentBytes: number): number[] {
  if (rows === 0) return [];
  const each = rowsOfSegment(segmentBytes, dimensions);
  const count = Math.min(SEGMENTS_MAX, Math.ceil(rows / each));
  return Array.from({ length: count }, (_, s) => (s === count - 1 ? rows - s * each : each));
}

function candidates(bytes: readonly Uint8Array[]): SavedSection {
  return { name: 'candidates', kind: 'memory', bytes };
}

/** The packed rows as they are saved: chunk after chunk, each a view. */
function pieces(store: PanelStore): Uint8Array[] {
  const { bytes } = store.runtime.heap.memory;
  if (store.rows === 0) return [bytes.subarray(0, 0)];
  const chunkBytes = packedBytes(CHUNK_ROWS, store.dimensions);
  const all = packedBytes(store.rows, store.dimensions);
  return Array.from({ length: store.chunkCount }, (_, i) => {
    const { offset } = store.chunk(i);
    return bytes.subarray(offset, offset + Math.min(chunkBytes, all - i * chunkBytes));
  });
}

/** Some rows, packed as they are saved: a copy in ordinary memory. */
function packed(store: RowStore, rows: Int32Array): Uint8Array {
  const { dimensions } = store;
  const to = new Float32Array(packedBytes(rows.length, dimensions) / 4);
  const row = new Float32Array(dimensions);
  const read = store.reader();
  rows.forEach((from, i) => {
    read(from, row);
    const at = Math.floor(i / PANEL_ROWS) * PANEL_ROWS * dimensions + (i % PANEL_ROWS);
    for (let t = 0; t < dimensions; t++) to[at + t * PANEL_ROWS] = row[t]!;
  });
  return new Uint8Array(to.buffer);
}
