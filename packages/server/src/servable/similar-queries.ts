/** Queries for similar candidates: the vector of a query, and whether its search is heavy. */
import type { Identifier } from 'shortlist';
import { similarityVector } from 'shortlist/topk';
import { ServingError } from '../status/serving-error.ts';
import { heldIdentifier, type IdentifierType } from './identifiers.ts';
import type { ServedIndex } from './index-parts.ts';

/** Floats of all candidates above which a pass over them takes some milliseconds. */
const HEAVY_FLOATS = 500_000;

/**
 * The vector with which a query for similar candidates searches.
 *
 * @throws {ServingError} NOT_FOUND naming the first identifier that no candidate has; INVALID_ARGUMENT for a vector of
 * the wrong length
 */
export function similarVector(
  index: ServedIndex,
  identifierType: IdentifierType,
  similarTo: readonly Identifier[] | Float32Array,
): Float32Array {
  if (similarTo instanceof Float32Array) return similarityVector(index, { vector: similarTo });
  const held = similarTo.map((identifier) => {
    const known = heldIdentifier(identifierType, identifier);
    if (known === undefined || !index.hasCandidate(known)) {
      const shown = typeof identifier === 'string' ? JSON.stringify(identifier) : String(identifier);
      throw new ServingError('NOT_FOUND', `ids: expected identifiers of candidates, got ${shown}`);
    }
    return known;
  });
  return similarityVector(index, held);
}

/** Whether a search for similar candidates may take so long that cheap queries should not wait for it. */
export function isHeavySimilar({ distanceMeasure, size, dimensions }: ServedIndex): boolean {
  return distanceMeasure === 'dot_product' && size * dimensions > HEAVY_FLOATS;
}
