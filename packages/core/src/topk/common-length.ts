/**
 * Whether all candidates of an index have one length |x|. Then ⟨q, x⟩ orders them as the cosine does, so that an index whose
 * measure is the dot product finds the nearest by cosine, too.
 */
import { type CandidateVectors, candidateVectors, type KeptRows } from './candidate-vectors.ts';
import type { Identifier, Identifiers } from './identifiers.ts';

/** Lengths whose relative difference is at most this count as equal: rounding to the precision makes equal lengths differ by less. */
const TOLERANCES: Readonly<Record<CandidateVectors['precision'], number>> = {
  float32: 1e-4,
  bfloat16: 2 ** -8,
  int8: 2 ** -6,
};
/** Numbers read in a step, some tenths of a millisecond. */
const NUMBERS_A_STEP = 1 << 16;

/** |x| of the numbers of a row. */
export function lengthOf(row: Float32Array): number {
  let square = 0;
  for (let t = 0; t < row.length; t++) square += row[t]! * row[t]!;
  return Math.sqrt(square);
}

/** The part of an index that is measured. */
interface MeasuredIndex<I extends Identifier> {
  keptRows(): KeptRows<I>;
  readonly upsertListeners: ((identifiers: readonly I[]) => void)[];
}

const known = new WeakMap<object, CommonLength<Identifier>>();

/**
 * The length that all candidates of an index have, undefined where they differ; found in short steps, between which nothing
 * changes, and known afterwards until the candidates are replaced.
 */
export function* commonLength<I extends Identifier>(index: MeasuredIndex<I>): Generator<void, number | undefined> {
  const kept = index.keptRows();
  let measured = known.get(index) as CommonLength<I> | undefined;
  if (!measured) {
    const made = new CommonLength<I>();
    index.upsertListeners.push((identifiers) => made.upserted(index.keptRows(), identifiers));
    known.set(index, made as unknown as CommonLength<Identifier>);
    measured = made;
  }
  return yield* measured.steps(kept);
}

/** Knows the length that the candidates of one index have. */
class CommonLength<I extends Identifier> {
  /** The identifiers of the candidates that were measured: a rebuilt index has others. */
  #of: Identifiers<I> | undefined;
  #length: number | undefined;
  #tolerance = 0;

  /** The common length, undefined where lengths differ; in short steps, between which nothing changes. */
  *steps(kept: KeptRows<I>): Generator<void, number | undefined> {
    if (this.#of === kept.identifiers) return this.#length;
    this.#tolerance = TOLERANCES[kept.precision];
    const length = kept.isUnitLength ? 1 : yield* this.#measured(kept);
    this.#of = kept.identifiers;
    this.#length = length;
    return length;
  }

  /** Take note of candidates that were upserted: one of another length ends it. */
  upserted(kept: KeptRows<I>, identifiers: readonly I[]): void {
    if (this.#length === undefined || this.#of !== kept.identifiers) return;
    const { data, dimensions: d } = candidateVectors(kept, identifiers);
    for (let at = 0; at < data.length && this.#length !== undefined; at += d) {
      if (!this.#isNear(lengthOf(data.subarray(at, at + d)), this.#length)) this.#length = undefined;
    }
  }

  *#measured(kept: KeptRows<I>): Generator<void, number | undefined> {
    const row = new Float32Array(kept.dimensions);
    const rowsAStep = Math.max(1, Math.floor(NUMBERS_A_STEP / Math.max(1, kept.dimensions)));
    const read = kept.reader();
    let common: number | undefined;
    for (let at = 0; at < kept.identifiers.size; at++) {
      if (kept.isLive(at)) {
        read(at, row);
        const length = lengthOf(row);
        common ??= length;
        if (length === 0 || !this.#isNear(length, common)) return undefined;
      }
      if (at % rowsAStep === rowsAStep - 1) yield;
    }
    return common;
  }

  #isNear(length: number, common: number): boolean {
    return Math.abs(length - common) <= this.#tolerance * common;
  }
}
