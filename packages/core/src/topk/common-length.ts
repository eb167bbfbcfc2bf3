/**
 * Tests if all candidates of an index have the same length |x|. If they do, ⟨q, x⟩ orders the candidates as the cosine
 * does, so an index whose measure is the dot product also finds the nearest candidates by cosine.
 */
import { type CandidateVectors, candidateVectors, type KeptRows } from './candidate-vectors.ts';
import type { Identifier, Identifiers } from './identifiers.ts';

/**
 * Two lengths count as equal when their relative difference is at most this; rounding to the precision changes a length
 * by less.
 */
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

/** The members of an index that `commonLength` uses. */
interface MeasuredIndex<I extends Identifier> {
  keptRows(): KeptRows<I>;
  readonly upsertListeners: ((identifiers: readonly I[]) => void)[];
}

const known = new WeakMap<object, CommonLength<Identifier>>();

/**
 * The length that all candidates of an index have; undefined where lengths differ. It is computed in short steps,
 * between which the candidates must not change, and kept until the candidates are replaced.
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

/** Keeps the common length of the candidates of one index. */
class CommonLength<I extends Identifier> {
  /** The identifiers of the candidates that were measured: a rebuilt index has others. */
  #of: Identifiers<I> | undefined;
  #length: number | undefined;
  #tolerance = 0;

  /** The common length; undefined where lengths differ. The candidates must not change between the steps. */
  *steps(kept: KeptRows<I>): Generator<void, number | undefined> {
    if (this.#of === kept.identifiers) return this.#length;
    this.#tolerance = TOLERANCES[kept.precision];
    const length = kept.isUnitLength ? 1 : yield* this.#measured(kept);
    this.#of = kept.identifiers;
    this.#length = length;
    return length;
  }

  /** Check the lengths of upserted candidates: after one that differs there is no common length. */
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
