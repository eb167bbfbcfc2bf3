/**
 * Points added to and taken from built leaves: codes with the centroids and the codebook there are, in groups of their own
 * that follow a leaf's built ones; deletion clears a bit. Slots of deleted points are not used again before a rebalance.
 */
import { assert } from '../../../checks/assert.ts';
import { Centroids } from '../../../clustering/centroids.ts';
import type { Block } from '../../../memory/heap.ts';
import { Scratch } from '../../../memory/scratch.ts';
import { finish } from '../../../parallel/steps.ts';
import type { Matrix } from '../../../vectors/matrix.ts';
import { codedRows } from '../build/coded-rows.ts';
import { writeCorrectionCodes } from '../build/codes.ts';
import { GROUP_SLOTS, type Leaves, partBytes, rowBytes, rowStride } from '../leaves.ts';

/** Room is made for an eighth more, so that growing costs little in sum and little memory lies idle. */
const GROWTH = 1 / 8;
/** The parts that have something for every group, or for every place. */
const GROWING = ['codes', 'rowOf', 'valid', 'nextGroup', 'rows', 'placeOf'] as const;
/**
 * Bytes copied in a step, and cleared when room is taken into use: a page that is touched for the first time costs the
 * system microseconds, so this is up to a millisecond.
 */
const COPIED_BYTES = 1 << 17;
const CLEARED_BYTES = 1 << 17;
/** Slots looked at in a step: some tenths of a millisecond. */
const SLOTS_A_STEP = 1 << 17;
/** Scratch of calls with up to so many rows is kept for the next call: a megabyte. */
const ROWS_KEPT = 16_384;

/** Changes of one index. */
export class LeafUpdates {
  readonly #leaves: Leaves;
  #centroids: Centroids | undefined;
  /** The group of each leaf that has room, and its points; −1: none. */
  readonly #open: Int32Array;
  readonly #fill: Int32Array;
  /** Sums of points added to each leaf, for `drift`. */
  readonly #sums: Float64Array;
  readonly #added: Int32Array;
  /** Of one call; a call of one row would spend more on allocations than on its codes. */
  readonly #scratch: Record<'labels' | 'scores' | 'codes' | 'corrections' | 'correctionCodes' | 'words', Scratch>;
  #nextPlace = -1;
  #distance = 0;
  #inserted = 0;

  constructor(leaves: Leaves) {
    this.#leaves = leaves;
    const { heap } = leaves.runtime;
    this.#scratch = {
      labels: new Scratch(heap),
      scores: new Scratch(heap),
      codes: new Scratch(heap),
      corrections: new Scratch(heap),
      correctionCodes: new Scratch(heap),
      words: new Scratch(heap),
    };
    const { leaves: count, dimensions } = leaves.shape;
    this.#open = new Int32Array(count).fill(-1);
    this.#fill = new Int32Array(count);
    this.#sums = new Float64Array(count * dimensions);
    this.#added = new Int32Array(count);
  }

  /** Points inserted since the build. */
  get inserted(): number {
    return this.#inserted;
  }

  /** Mean squared distance of inserted points from their centroids; 0 while there is none. */
  get meanDistance(): number {
    return this.#inserted > 0 ? this.#distance / this.#inserted : 0;
  }

  /** Room for `points` more, and for row numbers below `rows`. */
  reserve(points: number, rows: number): void {
    finish(this.growth(points, rows));
  }

  /** Points that the blocks have room for beyond the groups in use; a leaf may take a group for one of them. */
  get roomPoints(): number {
    return (this.#capacityOfBlocks() - this.#leaves.shape.groups) * GROUP_SLOTS;
  }

  /**
   * `reserve` in short steps. What is there is copied where its blocks have no room behind it; the last
   * step puts the copies in its place. Nothing may change between the steps.
   */
  *growth(points: number, rows: number): Generator<void, void> {
    const { capacity, places } = this.#need(points, rows);
    if (capacity <= this.#capacityOfBlocks() && places <= this.#placesOfBlocks()) return;
    const { groups } = this.#leaves.shape;
    yield* this.#move(Math.max(capacity, Math.ceil(groups * (1 + GROWTH))), Math.ceil(places * (1 + GROWTH)));
  }

  /** What inserts need beside the leaves, in short steps. */
  *preparation(): Generator<void, void> {
    if (this.#leaves.shape.leaves > 0) this.#trained();
    yield;
    yield* this.#countPlaces();
  }

  /** Capacity and places for `points` more, and for row numbers below `rows`. */
  #need(points: number, rows: number): { capacity: number; places: number } {
    const { shape } = this.#leaves;
    const flat = shape.leaves === 0;
    // Each point may open a group of its leaf, but no more groups than leaves are open at a time.
    const groups = flat
      ? Math.max(0, Math.ceil(rows / GROUP_SLOTS) - shape.groups)
      : Math.ceil(points / GROUP_SLOTS) + Math.min(points, shape.leaves);
    return { capacity: shape.groups + groups, places: shape.places > 0 ? this.#places() + points : 0 };
  }

  /** Capacity that every block holds. */
  #capacityOfBlocks(): number {
    const { shape, parts } = this.#leaves;
    const empty = partBytes({ ...shape, capacity: 0 });
    const one = partBytes({ ...shape, capacity: 1 });
    const holds = GROWING.filter((name) => parts[name] && one[name]! > empty[name]!).map((name) =>
      Math.floor((parts[name]!.sizeBytes - empty[name]!) / (one[name]! - empty[name]!)),
    );
    return Math.min(...holds);
  }

  #placesOfBlocks(): number {
    const { shape, parts } = this.#leaves;
    return shape.places > 0 ? Math.floor(parts.rows!.sizeBytes / rowBytes(shape)) : 0;
  }

  /** Copies of the parts that grow in blocks for so much. */
  *#move(capacity: number, places: number): Generator<void, void> {
    const { shape, parts, runtime } = this.#leaves;
    const sizes = partBytes({ ...shape, capacity, places });
    const used = partBytes(shape);
    const moved: Record<string, Block> = {};
    let isWhole = false;
    try {
      for (const name of GROWING) {
        const old = parts[name];
        if (!old || sizes[name]! <= old.sizeBytes) continue;
        const block = runtime.heap.allocateUnfilled(sizes[name]!);
        moved[name] = block;
        const [from, to] = [old.bytes().subarray(0, used[name]!), block.bytes()];
        for (let at = 0; at < from.length; at += COPIED_BYTES) {
          to.set(from.subarray(at, at + COPIED_BYTES), at);
          yield;
        }
      }
      isWhole = true;
    } finally {
      if (!isWhole) for (const block of Object.values(moved)) block.free();
    }
    for (const name of Object.keys(moved)) parts[name]!.free();
    Object.assign(parts, moved);
    this.#leaves.refresh();
  }

  /** Take room into use that the blocks have: a little more than is needed, because it has to be cleared. */
  #use({ capacity, places }: { capacity: number; places: number }): void {
    const { shape, parts } = this.#leaves;
    if (capacity <= shape.capacity && places <= shape.places) return;
    const before = partBytes(shape);
    const groupBytes = GROWING.reduce((sum, name) => sum + (before[name] ?? 0), 0) / Math.max(1, shape.capacity);
    const more = Math.ceil(CLEARED_BYTES / Math.max(1, groupBytes));
    shape.capacity = Math.max(shape.capacity, Math.min(this.#capacityOfBlocks(), capacity + more));
    if (places > shape.places) shape.places = Math.min(this.#placesOfBlocks(), places + more * GROUP_SLOTS);
    const sizes = partBytes(shape);
    for (const name of GROWING) {
      const isNone = name === 'rowOf' || name === 'nextGroup';
      parts[name]?.bytes().fill(isNone ? 0xff : 0, before[name]!, sizes[name]!);
    }
    this.#leaves.refresh();
  }

  /**
   * Insert prepared rows [n, d] (as scored) under row numbers; returns the slot of each.
   */
  insert(rows: Matrix, numbers: Int32Array): Int32Array {
    const { shape } = this.#leaves;
    const n = rows.rows;
    const end = numbers.reduce((most, row) => Math.max(most, row + 1), 0);
    this.reserve(n, end);
    this.#use(this.#need(n, end));
    const slots = shape.leaves === 0 ? Int32Array.from(numbers) : this.#encode(rows);
    this.#place(rows, numbers, slots);
    this.#inserted += n;
    return slots;
  }

  /** Clear a slot. */
  remove(slot: number): void {
    this.#leaves.integers('valid')[slot >> 5]! &= ~(1 << (slot & 31));
  }

  /**
   * Share of sampled points that would be in another leaf were each centroid moved to where inserted points drew it.
   */
  movedShare(sample: Matrix): number {
    const { shape, runtime } = this.#leaves;
    if (shape.leaves === 0 || this.#inserted === 0 || sample.rows === 0) return 0;
    const d = shape.dimensions;
    const centroids = this.#trained();
    const moved = new Centroids(shape.leaves, d, runtime);
    const from = centroids.matrix.data;
    const to = moved.matrix.data;
    const groups = this.#leaves.integers('leafGroups');
    for (let l = 0; l < shape.leaves; l++) {
      const built = Math.max(1, (groups[l + 1]! - groups[l]!) * GROUP_SLOTS);
      for (let t = 0; t < d; t++) {
        to[l * d + t] = (from[l * d + t]! * built + this.#sums[l * d + t]!) / (built + this.#added[l]!);
      }
    }
    moved.pack();
    const labels = [centroids, moved].map((set) => {
      const own = runtime.heap.allocate(4 * sample.rows);
      const scores = runtime.heap.allocate(4 * sample.rows);
      set.assign(sample.offset, sample.rows, own, scores);
      const copy = own.integers(sample.rows).slice();
      own.free();
      scores.free();
      return copy;
    });
    moved.free();
    return labels[0]!.reduce((sum, leaf, i) => sum + Number(leaf !== labels[1]![i]), 0) / sample.rows;
  }

  /** Give the memory back. */
  free(): void {
    this.#centroids?.free();
    this.#centroids = undefined;
    this.#freeScratch();
  }

  #freeScratch(): void {
    for (const each of Object.values(this.#scratch)) each.free();
  }

  #trained(): Centroids {
    if (!this.#centroids) {
      const { shape, runtime } = this.#leaves;
      this.#centroids = new Centroids(shape.leaves, shape.dimensions, runtime);
      const length = shape.leaves * shape.dimensions;
      this.#centroids.matrix.data.set(this.#leaves.floats('centroids').subarray(0, length));
      this.#centroids.pack();
    }
    return this.#centroids;
  }

  /** Leaves, codes and slots of new points; their codes are written. */
  #encode(rows: Matrix): Int32Array {
    const { shape, parts, runtime } = this.#leaves;
    const { pool, kernels } = runtime;
    const scratch = this.#scratch;
    const n = rows.rows;
    const d = shape.dimensions;
    const { productBlocks: blocks, blockWidth: width, correctionBlocks, correctionKind: kind } = shape;
    const coded = codedRows(this.#leaves, rows);
    const centroids = this.#trained();
    try {
      const labels = scratch.labels.reserve(4 * n);
      const scores = scratch.scores.reserve(4 * n);
      const codes = scratch.codes.reserve(n * blocks);
      const corrections = scratch.corrections.reserve(4 * n);
      const correctionCodes = scratch.correctionCodes.reserve(Math.max(1, n * correctionBlocks));
      const words16 = scratch.words.reserve(4 * (blocks * width + 32 * blocks) * pool.threads);
      centroids.assign(coded.offset, n, labels, scores);
      pool.run('encodeCopies', n, 64, {
        rows: coded.offset,
        d,
        copyRow: 0,
        labels: labels.offset,
        centroids: centroids.matrix.offset,
        codebook: parts.codebook!.offset,
        blocks,
        width,
        eta: shape.eta,
        kind,
        codes: codes.offset,
        corrections: corrections.offset,
        scratch: words16.offset,
      });
      const words = this.#leaves.floats('corrections').subarray(0, 16 * correctionBlocks);
      writeCorrectionCodes(corrections.floats(n), words, kind, correctionCodes.bytes());
      const own = labels.integers(n);
      const near = scores.floats(n);
      const { data } = coded;
      const groupBytes = 16 * (blocks + correctionBlocks);
      return Int32Array.from({ length: n }, (_, i) => {
        const leaf = own[i]!;
        let square = 0;
        for (let t = 0; t < d; t++) {
          const x = data[i * d + t]!;
          square += x * x;
          this.#sums[leaf * d + t]! += x;
        }
        this.#added[leaf]!++;
        this.#distance += Math.max(0, square - 2 * near[i]!);
        const slot = this.#freeSlot(leaf);
        const group = parts.codes!.offset + (slot >> 5) * groupBytes;
        const code = codes.offset + i * blocks;
        kernels.packPoint(
          group,
          slot & 31,
          code,
          blocks,
          correctionCodes.offset + i * correctionBlocks,
          correctionBlocks,
        );
        return slot;
      });
    } finally {
      if (n > ROWS_KEPT) this.#freeScratch();
      if (coded !== rows) coded.free();
    }
  }

  /** Places in use: rows kept apart from slots are never moved, so places only grow. */
  #places(): number {
    if (this.#nextPlace < 0) finish(this.#countPlaces());
    return this.#nextPlace;
  }

  *#countPlaces(): Generator<void, void> {
    const { shape } = this.#leaves;
    if (this.#nextPlace >= 0 || shape.places === 0) return;
    const rowOf = this.#leaves.integers('rowOf');
    const placeOf = this.#leaves.integers('placeOf');
    let next = 0;
    for (let slot = 0; slot < shape.groups * GROUP_SLOTS; slot++) {
      if (rowOf[slot]! >= 0) next = Math.max(next, placeOf[slot]! + 1);
      if (slot % SLOTS_A_STEP === 0) yield;
    }
    // An insert between the steps has counted for itself.
    if (this.#nextPlace < 0) this.#nextPlace = next;
  }

  /** The next slot of a leaf's last group of its own, or of a new group at the head of its chain. */
  #freeSlot(leaf: number): number {
    let group = this.#open[leaf]!;
    if (group < 0 || this.#fill[leaf] === GROUP_SLOTS) {
      const { shape } = this.#leaves;
      assert(shape.groups < shape.capacity, 'scann: no room for a group');
      group = shape.groups++;
      // Once a group of 32 points, so the views cost little here.
      const heads = this.#leaves.integers('leafExtra');
      this.#leaves.integers('nextGroup')[group] = heads[leaf]!;
      heads[leaf] = group;
      this.#open[leaf] = group;
      this.#fill[leaf] = 0;
    }
    return group * GROUP_SLOTS + this.#fill[leaf]!++;
  }

  /** Row numbers, bits and rows of new points at their slots. */
  #place(rows: Matrix, numbers: Int32Array, slots: Int32Array): void {
    const { shape, parts, runtime } = this.#leaves;
    const d = shape.dimensions;
    const rowOf = this.#leaves.integers('rowOf');
    const valid = this.#leaves.integers('valid');
    const placeOf = shape.places > 0 ? this.#leaves.integers('placeOf') : undefined;
    const bytes = rowBytes(shape);
    const inverse = this.#inverseScales();
    slots.forEach((slot, i) => {
      if (shape.leaves === 0) shape.groups = Math.max(shape.groups, (slot >> 5) + 1);
      rowOf[slot] = numbers[i]!;
      valid[slot >> 5]! |= 1 << (slot & 31);
      let place = slot;
      if (placeOf) {
        place = this.#places();
        this.#nextPlace = place + 1;
        placeOf[slot] = place;
      }
      const from = rows.offset + 4 * i * d;
      const to = parts.rows!.offset + place * bytes;
      runtime.kernels.storeRows(0, 1, 0, from, d, 0, shape.rowKind, inverse, rowStride(d), to);
    });
  }

  #inverse: Block | undefined;

  /** int8 rows keep the scales of the build: what lies outside them is cut. */
  #inverseScales(): number {
    const { shape, runtime } = this.#leaves;
    if (shape.rowKind !== 2) return 0;
    if (!this.#inverse) {
      this.#inverse = runtime.heap.allocate(4 * rowStride(shape.dimensions));
      const scales = this.#leaves.floats('rowScales');
      this.#inverse.floats(shape.dimensions).set(scales.subarray(0, shape.dimensions).map((s) => (s > 0 ? 1 / s : 0)));
    }
    return this.#inverse.offset;
  }
}
