/**
 * Saves and loads an exact index. Functions beside the class, so that a bundler leaves them out of a program that does
 * neither.
 */
import type { Part } from '../../format/part.ts';
import type { Saved } from '../../format/saved.ts';
import type { Identifier, QueryModel } from '../contract.ts';
import type { Identifiers } from '../identifiers.ts';
import { loadIdentifiers, saveIdentifiers } from '../saved-identifiers.ts';
import { BruteForce } from './brute-force.ts';
import { HeldCandidates } from './held-candidates.ts';
import { CHUNK_ROWS, PANEL_ROWS, PanelStore, packedBytes } from './panel-store.ts';

/** Rows are int32 in the kernels. */
const ROWS_MAX = 0x7fff_ffff;

/**
 * Settings, identifiers and packed candidates, without deleted ones and without the query model. The bytes are views
 * that are valid until the candidates change.
 *
 * @throws {StateError} before `index`
 */
export function saveBruteForce<Q, I extends Identifier>(index: BruteForce<Q, I>): Saved {
  const { store, identifiers, liveRows } = index.held;
  const rows = liveRows?.length ?? store.rows;
  const kept = liveRows ? identifiers.part(liveRows) : identifiers;
  return {
    kind: 'brute-force',
    settings: { k: index.k, rows, dimensions: store.dimensions },
    sections: [{ name: 'candidates', kind: 'memory', bytes: liveRows ? [packed(store, liveRows)] : pieces(store) }],
    parts: { identifiers: saveIdentifiers(kept, identifiers.columnType) },
  };
}

/**
 * Load a saved index; its candidates stay in the memory block that they were read into.
 *
 * @throws {FormatError} when settings and sections do not fit together
 */
export function loadBruteForce<Q, I extends Identifier>(part: Part, queryModel?: QueryModel<Q>): BruteForce<Q, I> {
  const { runtime, settings } = part;
  const index = new BruteForce<Q, I>({ queryModel, k: settings.integer('k', { min: 1 }), runtime });
  const rows = settings.integer('rows', { max: ROWS_MAX });
  const dimensions = settings.integer('dimensions', { min: Math.min(rows, 1), max: ROWS_MAX });
  const block = part.memory('candidates', packedBytes(rows, dimensions));
  const identifiers = loadIdentifiers(part.part('identifiers'), rows) as Identifiers<I>;
  index.restore(new HeldCandidates(PanelStore.adopt(runtime, block, rows, dimensions), identifiers));
  return index;
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
function packed(store: PanelStore, rows: Int32Array): Uint8Array {
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
