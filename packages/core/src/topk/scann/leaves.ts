/**
 * The built index as parts in the linear memory, and the record that describes them to the kernels.
 *
 * Each point is in a slot; a group is 32 slots of one leaf. Leaf l has the groups leafGroups[l] … leafGroups[l+1] − 1
 * and, after updates, a chain of further groups: leafExtra[l], then nextGroup of each. The parts are saved. Data that
 * is computed from them (int16 centroids, norms) is not saved. A flat index has rows only: slot = row.
 */
import { assert } from '../../checks/assert.ts';
import { rowBytesOf, SCANN_INDEX } from '../../kernels/families/scann.ts';
import { type RecordAddress, type RecordValues, recordBytes, writeRecord } from '../../kernels/record.ts';
import type { Block } from '../../memory/heap.ts';
import type { Runtime } from '../../parallel/runtime.ts';
import { centroidAddends, PANEL_CENTROIDS, packCentroids, pairsOf } from './centroid-panels.ts';
import type { FileRows } from './file-rows.ts';

/** Slots in a group. */
export const GROUP_SLOTS = 32;

/**
 * The share of the k best results that rows of a number format lose, measured by a build with some of the candidates as
 * queries.
 */
export interface RowLoss {
  k: number;
  /** Candidates used as queries. */
  queries: number;
  bfloat16: number;
  int8: number;
}

/**
 * The errors of scores by codes, as shares of their deviation, without and with a rotation, measured by a build with some
 * of the candidates as queries.
 */
export interface CodeErrors {
  none: number;
  balancedPca: number;
}

/** Numbers that describe the parts; saved as JSON. */
export interface LeafShape {
  dimensions: number;
  /** The first dimensions of a row, which centroids and codes have. Absent: all. */
  prefix?: number;
  /** True where prefixes are scaled to length 1 before they are coded. */
  hasUnitPrefix?: boolean;
  /** 0: a flat index. */
  leaves: number;
  /** Groups of leaves; 0: none. */
  upperGroups: number;
  productBlocks: number;
  blockWidth: number;
  correctionBlocks: number;
  /** 0 none, 1 for inner products, 2 for squared distances. */
  correctionKind: number;
  /** Groups in use, groups that the parts have room for, and groups of the build. */
  groups: number;
  capacity: number;
  builtGroups: number;
  /** 0 float32, 1 bfloat16, 2 int8 with a scale of each dimension, 3 the same with a factor of each row. */
  rowKind: number;
  /** The measurement after which the build chose the format of the rows. Absent: it measured none. */
  rowLoss?: RowLoss;
  /**
   * Rows in the part `rows` where points may have two slots: each is stored once, in the order of the first slots. 0: a
   * row is stored at its slot.
   */
  places: number;
  isSquared: boolean;
  /** Slots a point may have. */
  copies: number;
  hasBounds: boolean;
  /** A group is skipped when its bound is more than this many standard errors below the threshold (plan.ts); 0: never. */
  groupBound: number;
  hasMean: boolean;
  /** True where rows were rotated before they were coded. */
  hasRotation: boolean;
  /** The measurement after which the build chose the rotation. Absent: it measured none. */
  codeErrors?: CodeErrors;
  /** η the codes were made with. */
  eta: number;
  /**
   * Mean squared distance of the built points from their centroids, with which `drift` compares that of inserted
   * points.
   */
  builtDistance: number;
}

/** The parts of the head of an index in segments: what a query needs before it reads candidates. */
const HEAD_PARTS: readonly string[] = [
  'centroids',
  'codebook',
  'corrections',
  'rowScales',
  'mean',
  'rotation',
  'upperCentroids',
  'upperLeaves',
];

/** Parts by name. Each block has room for `capacity` groups. */
export type LeafParts = Record<string, Block>;

/** Row stride in floats: a whole number of vectors of four. */
export function rowStride(dimensions: number): number {
  return Math.ceil(dimensions / 4) * 4;
}

/** Dimensions of centroids and codes. */
export function codedDimensions({ dimensions, prefix = dimensions }: LeafShape): number {
  return prefix;
}

/** Bytes of a row for reordering. */
export function rowBytes(shape: Pick<LeafShape, 'dimensions' | 'rowKind'>): number {
  return rowBytesOf(shape.rowKind, rowStride(shape.dimensions));
}

/** Rows for which the part `rows` has room. */
export function rowPlaces({ places, capacity }: Pick<LeafShape, 'places' | 'capacity'>): number {
  return places > 0 ? places : capacity * GROUP_SLOTS;
}

/** Bytes of each part of an index of this shape. */
export function partBytes(shape: LeafShape): Record<string, number> {
  const { leaves, capacity, productBlocks, correctionBlocks } = shape;
  const d = codedDimensions(shape);
  const slots = capacity * GROUP_SLOTS;
  const rows = {
    rows: rowPlaces(shape) * rowBytes(shape),
    rowOf: 4 * slots,
    valid: 4 * capacity,
  };
  const scales = shape.rowKind > 1 ? { rowScales: 4 * rowStride(shape.dimensions) } : {};
  if (leaves === 0) return { ...rows, ...scales };
  return {
    centroids: 4 * leaves * d,
    codebook: 64 * productBlocks * shape.blockWidth,
    corrections: 64 * Math.max(1, correctionBlocks),
    leafGroups: 4 * (leaves + 1),
    leafExtra: 4 * leaves,
    nextGroup: 4 * capacity,
    codes: 16 * capacity * (productBlocks + correctionBlocks),
    ...rows,
    ...scales,
    ...(shape.hasBounds
      ? { leafQuads: 4 * (leaves + 1), bounds: 32 * (Math.ceil(shape.builtGroups / 4) + leaves) }
      : {}),
    ...(shape.places > 0 ? { placeOf: 4 * slots } : {}),
    ...(shape.hasMean ? { mean: 4 * rowStride(d) } : {}),
    ...(shape.hasRotation ? { rotation: 4 * d * rowStride(d) } : {}),
    ...(shape.upperGroups > 0
      ? { upperCentroids: 4 * shape.upperGroups * d, upperLeaves: 4 * (shape.upperGroups + 1) }
      : {}),
  };
}

/** Bytes of each part of the head of an index in segments; the scales of int8 rows are in every segment too. */
export function headBytes(shape: LeafShape): Record<string, number> {
  return chosenParts(shape, (name) => HEAD_PARTS.includes(name));
}

/** Bytes of each part of a segment of this shape. */
export function segmentPartBytes(shape: LeafShape): Record<string, number> {
  return chosenParts(shape, (name) => name === 'rowScales' || !HEAD_PARTS.includes(name));
}

function chosenParts(shape: LeafShape, isChosen: (name: string) => boolean): Record<string, number> {
  return Object.fromEntries(Object.entries(partBytes(shape)).filter(([name]) => isChosen(name)));
}

/** The fields of the record that describes an index to the kernels. */
type IndexValues = RecordValues<typeof SCANN_INDEX>;

/**
 * Parts, shape and kernel record of one index in one memory, or of the head or a segment of an index (leaf-set.ts),
 * which have some of the parts.
 */
export class Leaves {
  readonly runtime: Runtime;
  readonly shape: LeafShape;
  readonly parts: LeafParts;
  readonly fileRows: FileRows | undefined;
  readonly #record: Block;
  #address: RecordAddress<typeof SCANN_INDEX>;
  #derived: Block[] = [];
  /** The fields of the record that describe `#derived`. */
  readonly #derivedFields: Partial<IndexValues>;
  #largest: Int32Array | undefined;
  #revision = 0;

  /**
   * @param head the head, where these are the leaves of a segment
   * @param fileRows the rows, where they stay in a file; then the part `rows` is missing
   */
  constructor(runtime: Runtime, shape: LeafShape, parts: LeafParts, head?: Leaves, fileRows?: FileRows) {
    this.runtime = runtime;
    this.shape = shape;
    this.parts = parts;
    this.fileRows = fileRows;
    this.#record = runtime.heap.allocate(recordBytes(SCANN_INDEX));
    this.#derivedFields = head ? this.#takeNorms(head) : shape.leaves > 0 ? this.#derive() : {};
    this.#address = this.refresh();
  }

  /** The address of the kernels' record. */
  get record(): RecordAddress<typeof SCANN_INDEX> {
    return this.#address;
  }

  /** The number of changes of the points so far. Data computed from the points is valid while this number is the same. */
  get revision(): number {
    return this.#revision;
  }

  /** Count a change of the points. */
  change(): void {
    this.#revision++;
  }

  /** The groups of a leaf, including those of its chain, in no particular order. */
  *groupsOf(leaf: number): Generator<number> {
    const bounds = this.integers('leafGroups');
    for (let group = bounds[leaf]!; group < bounds[leaf + 1]!; group++) yield group;
    const next = this.integers('nextGroup');
    for (let group = this.integers('leafExtra')[leaf]!; group >= 0; group = next[group]!) yield group;
  }

  /** The most groups that any `leaves` leaves have. */
  groupsOfLargest(leaves: number): number {
    if (!this.parts.leafGroups) return 0;
    if (!this.#largest) {
      const bounds = this.integers('leafGroups');
      const sizes = Int32Array.from({ length: this.shape.leaves }, (_, l) => bounds[l + 1]! - bounds[l]!)
        .sort()
        .reverse();
      for (let l = 1; l < sizes.length; l++) sizes[l]! += sizes[l - 1]!;
      this.#largest = sizes;
    }
    const { groups, builtGroups } = this.shape;
    const built = this.#largest[Math.min(leaves, this.#largest.length) - 1] ?? 0;
    return Math.min(groups, built + groups - builtGroups);
  }

  /** A part as int32. */
  integers(name: string): Int32Array {
    const block = this.parts[name];
    assert(block !== undefined, `scann: no part ${name}`);
    return block.integers(block.sizeBytes / 4);
  }

  /** A part as float32. */
  floats(name: string): Float32Array {
    const block = this.parts[name];
    assert(block !== undefined, `scann: no part ${name}`);
    return block.floats(block.sizeBytes / 4);
  }

  /** The parts as bytes, without the unused room at the end of their blocks. */
  bytes(): Record<string, Uint8Array> {
    return Object.fromEntries(
      Object.entries(partBytes(this.shape)).flatMap(([name, size]) => {
        const part = this.parts[name];
        return part ? [[name, part.bytes().subarray(0, size)]] : [];
      }),
    );
  }

  /** Bytes of all parts. */
  get sizeBytes(): number {
    return Object.values(this.bytes()).reduce((sum, { length }) => sum + length, 0);
  }

  /** Write the record again, after parts moved or grew. */
  refresh(): RecordAddress<typeof SCANN_INDEX> {
    const { shape, parts } = this;
    const at = (name: string): number => parts[name]?.offset ?? 0;
    const record = Object.fromEntries(Object.keys(SCANN_INDEX.fields).map((field) => [field, 0])) as IndexValues;
    Object.assign(record, {
      stride: rowStride(shape.dimensions),
      dimensions: codedDimensions(shape),
      codedStride: rowStride(codedDimensions(shape)),
      isPrefix: shape.prefix === undefined ? 0 : 1,
      pairs: pairsOf(codedDimensions(shape)),
      rowOf: at('rowOf'),
      valid: at('valid'),
      rows: at('rows'),
      rowKind: shape.rowKind,
      rowScales: at('rowScales'),
      placeOf: at('placeOf'),
      squared: shape.isSquared ? 1 : 0,
      copies: shape.copies,
      groups: shape.capacity,
    });
    if (shape.leaves > 0) Object.assign(record, this.#treeFields(at), this.#derivedFields);
    return writeRecord(this.runtime.heap.memory, SCANN_INDEX, this.#record.offset, record);
  }

  /** Free all memory. */
  free(): void {
    for (const block of [...Object.values(this.parts), ...this.#derived, this.#record]) block.free();
    this.#derived = [];
  }

  #treeFields(at: (name: string) => number): Partial<IndexValues> {
    const { shape } = this;
    return {
      leafGroups: at('leafGroups'),
      leafExtra: shape.capacity > shape.builtGroups ? at('leafExtra') : 0,
      nextGroup: at('nextGroup'),
      productBlocks: shape.productBlocks,
      blockWidth: shape.blockWidth,
      codebook: at('codebook'),
      correctionBlocks: shape.correctionBlocks,
      corrections: at('corrections'),
      correctionIsRelative: shape.correctionKind === 1 ? 1 : 0,
      codes: at('codes'),
      leafBounds: at('leafQuads'),
      bounds: at('bounds'),
      mean: at('mean'),
      upperLeaves: at('upperLeaves'),
    };
  }

  /** Copy what the scan of a segment reads of the head's derived data. */
  #takeNorms(head: Leaves): Partial<IndexValues> {
    const { leaves } = this.shape;
    const inverse = this.runtime.heap.allocate(4 * leaves);
    const from = head.#derivedFields.leafInverseNorm! / 4;
    inverse.floats(leaves).set(head.runtime.heap.memory.floats.subarray(from, from + leaves));
    this.#derived.push(inverse);
    return { leafInverseNorm: inverse.offset };
  }

  /** Compute the data that the kernels read in addition to the parts, from parts that never change. */
  #derive(): Partial<IndexValues> {
    const { shape, runtime } = this;
    const { leaves } = shape;
    const d = codedDimensions(shape);
    const centroids = this.floats('centroids');
    const packed = packCentroids(runtime, centroids, leaves, d);
    const squares = Float32Array.from(packed.squares);
    const addends = centroidAddends(
      runtime,
      packed.panels,
      shape.isSquared ? squares.map((s) => -s / 2) : new Float32Array(leaves),
    );
    const inverse = runtime.heap.allocate(4 * packed.panels * PANEL_CENTROIDS);
    inverse.floats(leaves).set(squares.map((s) => (s > 0 ? 1 / Math.sqrt(s) : 0)));
    this.#derived.push(packed.block, addends, inverse);
    const fields: Partial<IndexValues> = {
      leafPanels: packed.panels,
      centroids: packed.block.offset,
      centroidUnscale: packed.unscale,
      leafAddend: addends.offset,
      leafInverseNorm: inverse.offset,
    };
    if (shape.hasRotation) Object.assign(fields, this.#deriveRotation());
    if (shape.upperGroups > 0) Object.assign(fields, this.#deriveUpper());
    return fields;
  }

  #deriveRotation(): Partial<IndexValues> {
    const d = codedDimensions(this.shape);
    const stride = rowStride(d);
    const rows = this.floats('rotation');
    const columns = new Float32Array(d * d);
    for (let t = 0; t < d; t++) for (let s = 0; s < d; s++) columns[s * d + t] = rows[t * stride + s]!;
    const { block, unscale } = packCentroids(this.runtime, columns, d, d);
    this.#derived.push(block);
    return { rotation: block.offset, rotationUnscale: unscale };
  }

  #deriveUpper(): Partial<IndexValues> {
    const { upperGroups, isSquared } = this.shape;
    const d = codedDimensions(this.shape);
    const upper = this.floats('upperCentroids');
    const packed = packCentroids(this.runtime, upper, upperGroups, d);
    const halves = packed.squares.map((square) => (isSquared ? -square / 2 : 0));
    const addends = centroidAddends(this.runtime, packed.panels, halves);
    this.#derived.push(packed.block, addends);
    return {
      upperPanels: packed.panels,
      upperCentroids: packed.block.offset,
      upperUnscale: packed.unscale,
      upperAddend: addends.offset,
    };
  }
}
