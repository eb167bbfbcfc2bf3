/** Checks of upserted candidates. Every index makes them before it changes anything. */
import { IdentifierError, ShapeError } from '../errors/errors.ts';
import { checkIdentifiers, type Identifier, type Identifiers } from './identifiers.ts';
import type { VectorSource } from './vector-source.ts';

/**
 * Check candidates that are to be upserted.
 *
 * @param held the identifiers of the index
 * @param dimensions of its candidates
 * @throws {ShapeError} when rows differ in width from the candidates, or identifiers in number
 * @throws {IdentifierError} when an identifier is of another type; where row numbers are the identifiers, also when one is
 * neither a row nor the next one
 */
export function checkUpsert<I extends Identifier>(
  held: Identifiers<I>,
  dimensions: number,
  identifiers: readonly I[],
  source: VectorSource,
): void {
  if (source.rows > 0 && source.dimensions !== dimensions) {
    throw new ShapeError(`candidates: expected ${dimensions} dimensions as the index has, got ${source.dimensions}`);
  }
  checkIdentifiers(identifiers, source.rows, held.type);
  if (!held.values) checkRowNumbers(identifiers, held.size);
}

/** Refuse a new identifier that is not the number of the next row, where row numbers are the identifiers. */
function checkRowNumbers<I extends Identifier>(identifiers: readonly I[], size: number): void {
  let next = size;
  for (const identifier of identifiers) {
    const row = Number(identifier);
    if (!Number.isInteger(row) || row < 0 || row > next) {
      throw new IdentifierError(
        `identifier: expected a row number up to the next one, ${next}, got ${String(identifier)}`,
      );
    }
    if (row === next) next++;
  }
}

/** For each candidate, whether it is the last one with its identifier: only the last one is kept. */
export function areLast<I extends Identifier>(identifiers: readonly I[]): boolean[] {
  const last = new Map(identifiers.map((identifier, i) => [identifier, i]));
  return identifiers.map((identifier, i) => last.get(identifier) === i);
}
