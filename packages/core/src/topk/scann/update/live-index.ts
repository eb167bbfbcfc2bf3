/**
 * A built index with its identifiers and the updates made since the build. A rebuild replaces the whole object.
 */
import { normalize, type Progress } from '../../../clustering/k-means.ts';
import { finish } from '../../../parallel/steps.ts';
import { Matrix } from '../../../vectors/matrix.ts';
import type { PanelStore } from '../../brute-force/panel-store.ts';
import type { KeptRows } from '../../candidate-vectors.ts';
import type { Identifier, IndexDrift } from '../../contract.ts';
import { Identifiers } from '../../identifiers.ts';
import { areLast, checkUpsert } from '../../upsert.ts';
import type { VectorSource } from '../../vector-source.ts';
import { askForMemory } from '../build/build-memory.ts';
import { codedRows } from '../build/coded-rows.ts';
import { RowBuffer } from '../build/row-buffer.ts';
import { ROW_FORMATS } from '../build/shape.ts';
import type { Calibration } from '../calibration/calibration.ts';
import { flatPanels } from '../flat-panels.ts';
import type { LeafSet } from '../leaf-set.ts';
import { filterOfAll, type GroupFilter, SlotsOfRows } from '../search/masks.ts';
import type { SegmentSearchOf } from '../search/search.ts';
import type { ScannSettings } from '../settings.ts';
import { keepRows, rowReader } from './kept-rows.ts';
import { LeafUpdates } from './leaf-updates.ts';

/** Candidates in the sample of `drift`: enough to know a share to two per cent. */
const DRIFT_SAMPLE = 4_096;

/** The code of an index in segments, which an index in one memory does without. */
export interface SegmentedCode {
  /** Make the search over segments. */
  readonly search: SegmentSearchOf;
  /** Rebuild an index segment by segment in steps; undefined where it can be built in one memory. */
  readonly rebuild: <I extends Identifier>(
    old: LiveIndex<I>,
    settings: ScannSettings,
  ) => Generator<Progress, LiveIndex<I>> | undefined;
}

/** Leaves, identifiers, and changes. */
export class LiveIndex<I extends Identifier> implements KeptRows<I> {
  readonly leaves: LeafSet;
  readonly identifiers: Identifiers<I>;
  /** True if the measure is cosine. */
  readonly isUnitLength: boolean;
  /** The search of an index in segments; undefined for an index in one memory. */
  readonly segmented: SegmentedCode | undefined;
  /** The calibration of the build; its settings replace those of the index. */
  calibration: Calibration | undefined;
  #size: number;
  #slotsOf: SlotsOfRows | undefined;
  #present: GroupFilter | undefined;
  #panels: PanelStore | undefined;
  /** True after there was no memory for panels. */
  #isWithoutPanels = false;
  #updates: LeafUpdates | undefined;

  /**
   * @param size rows that are not deleted
   * @param segmented the code of an index in segments
   */
  constructor(
    leaves: LeafSet,
    identifiers: Identifiers<I>,
    size: number,
    isUnitLength: boolean,
    segmented?: SegmentedCode,
  ) {
    this.leaves = leaves;
    this.identifiers = identifiers;
    this.#size = size;
    this.isUnitLength = isUnitLength;
    this.segmented = segmented;
  }

  /** Rows that are not deleted. */
  get size(): number {
    return this.#size;
  }

  /** Width of a candidate; 0 in an empty index. */
  get dimensions(): number {
    return this.leaves.shape.dimensions;
  }

  /** The number format in which candidates are kept. */
  get precision(): KeptRows<I>['precision'] {
    return ROW_FORMATS[this.leaves.shape.rowKind]!;
  }

  /** Whether a row holds a candidate. */
  readonly isLive = (row: number): boolean => this.slots.first(row) >= 0;

  reader(): (row: number, to: Float32Array) => void {
    const read = rowReader(this.leaves);
    const { slots } = this;
    return (row, to) => read(slots.first(row), to);
  }

  /** The slots of each row. */
  get slots(): SlotsOfRows {
    this.#slotsOf ??= finish(SlotsOfRows.steps(this.leaves, this.identifiers.size));
    return this.#slotsOf;
  }

  /** A filter that lists the slots of all candidates; it is made again after a change. */
  get present(): GroupFilter {
    this.#present ??= filterOfAll(this.leaves);
    return this.#present;
  }

  /** The rows of a flat index in panels, made at the first call; undefined where calls score slots instead. */
  get panels(): PanelStore | undefined {
    const { leaves, identifiers } = this;
    if (this.#panels || this.#isWithoutPanels) return this.#panels;
    if (leaves.shape.leaves > 0 || identifiers.size === 0) return undefined;
    try {
      this.#panels = flatPanels(leaves, identifiers.size);
    } catch {}
    // Without panels, calls score slots: slower, with the same results.
    this.#isWithoutPanels = !this.#panels;
    return this.#panels;
  }

  /**
   * Add candidates, or replace those whose identifier the index holds.
   *
   * @throws as `ScaNN.upsert`, and then nothing has changed
   */
  upsert(identifiers: readonly I[], source: VectorSource): void {
    const { leaves, slots } = this;
    leaves.checkTakesRows('upsert');
    const d = leaves.shape.dimensions;
    checkUpsert(this.identifiers, d, identifiers, source);
    if (source.rows === 0) return;
    this.#forgetPresent();
    const rows = gatherRows(leaves, source);
    try {
      if (this.isUnitLength) normalize(rows.data, d);
      const stays = areLast(identifiers);
      // This is done before anything changes, because it throws where there is no memory.
      const isNew = (identifier: I, i: number): boolean => stays[i]! && !this.#isHeld(identifier);
      const end = this.identifiers.size + identifiers.filter(isNew).length;
      const kept = keepRows(
        rows,
        Int32Array.from(stays, (isKept) => (isKept ? 0 : -1)),
      );
      this.#changes().reserveFor(kept, end);
      const numbers = Int32Array.from(identifiers, (identifier, i) => (stays[i] ? this.#rowFor(identifier) : -1));
      const used = numbers.filter((row) => row >= 0);
      this.#changes()
        .insert(kept, used)
        .forEach((slot, i) => {
          slots.set(used[i]!, slot);
        });
      this.#putInPanels(used);
      this.#size += used.length;
      if (kept !== rows) kept.free();
    } finally {
      rows.free();
    }
  }

  /** Delete candidates; returns the number of rows deleted. */
  delete(identifiers: readonly I[]): number {
    // All identifiers are looked up first: when one has a wrong type, nothing is deleted.
    const rows: number[] = [];
    for (const identifier of identifiers) this.identifiers.forEachRow(identifier, (row) => rows.push(row));
    this.#forgetPresent();
    return rows.reduce((gone, row) => gone + this.#remove(row), 0);
  }

  /** Copy changed rows of a flat index, as they are kept, to the panels. */
  #putInPanels(rows: Int32Array): void {
    if (!this.#panels) return;
    try {
      finish(this.#panels.growth(this.identifiers.size));
      const read = rowReader(this.leaves);
      const row = new Float32Array(this.leaves.shape.dimensions);
      for (const number of rows) {
        read(number, row);
        this.#panels.put(number, row, 0);
      }
    } catch {
      this.#freePanels();
    }
  }

  #freePanels(): void {
    this.#panels?.free();
    this.#panels = undefined;
  }

  #forgetPresent(): void {
    this.#present?.free();
    this.#present = undefined;
  }

  /** Make room for `candidates` more. */
  reserve(candidates: number): void {
    finish(this.growth(candidates));
  }

  /** `reserve` in short steps; the index must not change between them. */
  growth(candidates: number): Generator<void, void> {
    this.leaves.checkTakesRows('reserve');
    return this.#changes().growth(candidates, this.identifiers.size + candidates);
  }

  /** Candidates for which there is room, if they filled the groups that they open. */
  get roomPoints(): number {
    if (this.leaves.fileRows) return 0;
    return this.#changes().roomPoints;
  }

  /** Build the tables that lookups and updates need, in short steps; updates may run between them. */
  *preparation(): Generator<void, void> {
    yield* this.identifiers.preparation();
    if (!this.#slotsOf) {
      const slots = yield* SlotsOfRows.steps(this.leaves, this.identifiers.size);
      // An update between the steps may have made the table already.
      this.#slotsOf ??= slots;
    }
    yield* this.#changes().preparation();
  }

  /** The changes of the candidates since the index was built. */
  drift(): IndexDrift {
    const { builtDistance } = this.leaves.shape;
    const deleted = this.identifiers.size - this.#size;
    const inserted = this.#updates?.inserted ?? 0;
    if (inserted === 0) return { inserted, deleted, movedShare: 0, distance: builtDistance, builtDistance };
    const sample = this.#sample();
    const movedShare = this.#changes().movedShare(sample);
    sample.free();
    return { inserted, deleted, movedShare, distance: this.#changes().meanDistance, builtDistance };
  }

  /**
   * The rows and identifiers of all candidates that are not deleted, for a build with these settings. The rows have the
   * precision in which the index keeps them.
   *
   * @throws {MemoryError} when there is no memory for the rows and the build while the index stays in memory
   */
  candidates(settings: ScannSettings): { rows: Matrix; identifiers: Identifiers<I> } {
    const { leaves, identifiers, slots } = this;
    const d = leaves.shape.dimensions;
    const block = leaves.runtime.heap.allocateUnfilled(askForMemory(leaves.runtime, this.#size, d, settings));
    const rows = new Matrix(this.#size, d, leaves.runtime, block);
    const kept = new Int32Array(this.#size);
    let count = 0;
    const read = rowReader(leaves);
    const { data } = rows;
    for (let row = 0; row < identifiers.size; row++) {
      const slot = slots.first(row);
      if (slot < 0) continue;
      read(slot, data.subarray(count * d, (count + 1) * d));
      kept[count++] = row;
    }
    const isWhole = identifiers.values === undefined && count === identifiers.size;
    return { rows, identifiers: isWhole ? new Identifiers(count) : identifiers.part(kept) };
  }

  /** Give the memory back. */
  free(): void {
    this.#forgetPresent();
    this.#freePanels();
    this.leaves.free();
    this.#updates?.free();
    this.#updates = undefined;
  }

  #changes(): LeafUpdates {
    this.#updates ??= new LeafUpdates(this.leaves);
    return this.#updates;
  }

  #isHeld(identifier: I): boolean {
    let isHeld = false;
    this.identifiers.forEachRow(identifier, () => {
      isHeld = true;
    });
    return isHeld;
  }

  /** The row for an upserted identifier: the row it has, which is emptied, or a new row. */
  #rowFor(identifier: I): number {
    const found: number[] = [];
    this.identifiers.forEachRow(identifier, (row) => found.push(row));
    for (const row of found) this.#remove(row);
    if (found.length > 0) return found[0]!;
    this.identifiers.add(identifier);
    return this.identifiers.size - 1;
  }

  #remove(row: number): number {
    let gone = 0;
    this.slots.forEach(row, (slot) => {
      this.#changes().remove(slot);
      gone = 1;
    });
    this.slots.delete(row);
    this.#size -= gone;
    return gone;
  }

  /** A sample of coded candidates, at even steps over the rows. */
  #sample(): Matrix {
    const { leaves, identifiers, slots } = this;
    const step = Math.max(1, Math.floor(identifiers.size / DRIFT_SAMPLE));
    const chosen: number[] = [];
    for (let row = 0; row < identifiers.size; row += step) if (slots.first(row) >= 0) chosen.push(row);
    const sample = new Matrix(chosen.length, leaves.shape.dimensions, leaves.runtime);
    const read = rowReader(leaves);
    chosen.forEach((row, i) => {
      read(slots.first(row), sample.row(i));
    });
    const coded = codedRows(leaves.head, sample);
    if (coded !== sample) sample.free();
    return coded;
  }
}

function gatherRows(leaves: LeafSet, source: VectorSource): Matrix {
  const buffer = new RowBuffer(leaves.runtime);
  try {
    buffer.append(source);
    return buffer.take();
  } catch (error) {
    buffer.free();
    throw error;
  }
}
