/** The vectors of candidates by identifier, read back from the rows that an index keeps. */
import { checkArgument, IDENTIFIERS } from '../checks/arguments.ts';
import { shown } from '../checks/numbers.ts';
import { IdentifierError } from '../errors/errors.ts';
import type { Identifier, Identifiers } from './identifiers.ts';

/** Vectors of candidates as an index keeps them. Every function that takes vectors accepts this object. */
export interface CandidateVectors {
  /** A copy of the vectors in the order of the requested identifiers: [identifiers, dimensions], row-major. */
  readonly data: Float32Array;
  readonly dimensions: number;
  /**
   * The number format in which the index keeps a vector. 'float32': exactly as given. 'bfloat16': each number rounded
   * to 8 significant bits. 'int8': each number rounded to the nearest of 255 steps of its dimension.
   */
  readonly precision: 'float32' | 'bfloat16' | 'int8';
  /** True when the index scaled vectors to length 1, as it does for cosine. */
  readonly isUnitLength: boolean;
}

/** The functions by which an index finds and reads its rows. */
export interface KeptRows<I extends Identifier>
  extends Pick<CandidateVectors, 'dimensions' | 'precision' | 'isUnitLength'> {
  readonly identifiers: Identifiers<I>;
  /** Whether a row holds a candidate. */
  isLive(row: number): boolean;
  /** A function that copies a row that holds a candidate; it is valid until the candidates change. */
  reader(): (row: number, to: Float32Array) => void;
}

/** The first row of an identifier that holds a candidate; undefined where there is none. Throws as `Identifiers.forEachRow`. */
export function liveRow<I extends Identifier>(
  { identifiers, isLive }: Pick<KeptRows<I>, 'identifiers' | 'isLive'>,
  identifier: I,
): number | undefined {
  let found: number | undefined;
  identifiers.forEachRow(identifier, (row) => {
    if (found === undefined && isLive(row)) found = row;
  });
  return found;
}

/** The candidate of a row, as a copy. @throws {IdentifierError} when the row holds none */
export function keptCandidate<I extends Identifier>(kept: KeptRows<I>, row: number): Float32Array {
  if (!Number.isInteger(row) || row < 0 || row >= kept.identifiers.size || !kept.isLive(row)) {
    throw new IdentifierError(`row: expected one that holds a candidate, got ${shown(row)}`);
  }
  const vector = new Float32Array(kept.dimensions);
  kept.reader()(row, vector);
  return vector;
}

/**
 * The vectors of some candidates. Where several rows have the same identifier, the first row is used.
 *
 * @throws {IdentifierError} naming the first identifier that no candidate has, or that is not of the index's type
 */
export function candidateVectors<I extends Identifier>(kept: KeptRows<I>, wanted: readonly I[]): CandidateVectors {
  const { dimensions, precision, isUnitLength } = kept;
  const rows = checkArgument('identifiers', wanted, IDENTIFIERS).map((identifier) => {
    const row = liveRow(kept, identifier);
    if (row === undefined) {
      throw new IdentifierError(`identifiers: expected identifiers of candidates, got ${shown(identifier)}`);
    }
    return row;
  });
  const read = kept.reader();
  const data = new Float32Array(rows.length * dimensions);
  rows.forEach((row, i) => {
    read(row, data.subarray(i * dimensions, (i + 1) * dimensions));
  });
  return { data, dimensions, precision, isUnitLength };
}
