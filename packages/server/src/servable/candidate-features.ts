/** Vectors of candidates that are given by their raw features, computed by the candidate tower of the bundle. */
import { invalidArgument } from '../status/serving-error.ts';
import type { Features, RequestedUpdate, RequestField, Servable, Update } from './contract.ts';
import { fieldsOf } from './feature-fields.ts';
import type { QueryTower } from './index-parts.ts';
import { unknownFeatures } from './unknown-features.ts';

/** The name in requests for the feature of a tower that has a single, unnamed one. */
const PLAIN_CANDIDATE = 'candidate';

/** The candidate tower of a bundle, if it has one. */
export class CandidateFeatures {
  readonly specs: readonly RequestField[];
  readonly #tower: QueryTower | undefined;
  readonly #dimensions: number;

  /** @param dimensions width of the candidates of the index */
  constructor(tower: QueryTower | undefined, dimensions: number) {
    this.#tower = tower;
    this.#dimensions = dimensions;
    this.specs = tower ? fieldsOf(tower, PLAIN_CANDIDATE) : [];
  }

  /**
   * Vectors of raw features: [features.length, dimensions], row-major.
   *
   * @throws {ServingError} INVALID_ARGUMENT when the bundle has no candidate tower, or its output has another width
   * than the candidates
   */
  embed(features: readonly Features[]): Float32Array {
    if (features.length === 0) return new Float32Array(0);
    if (!this.#tower) throw noCandidateTower();
    if (this.#tower.dimensions !== this.#dimensions) {
      throw invalidArgument(
        `features: expected a candidate tower of ${this.#dimensions} dimensions as the candidates have, ` +
          `got ${this.#tower.dimensions}; send an embedding`,
      );
    }
    // The output of the tower is valid only until its next call, so it is copied.
    return this.#tower.embed(features as readonly never[]).data.slice();
  }

  /** Names of the features whose value is not in their vocabulary; undefined if all are known. */
  unknown(features: Features): readonly string[] | undefined {
    return this.#tower && unknownFeatures(this.#tower, features, PLAIN_CANDIDATE);
  }
}

/** The error for a request that gives features of a candidate although the bundle has no candidate tower. */
export function noCandidateTower(): ReturnType<typeof invalidArgument> {
  return invalidArgument('features: this bundle has no candidate tower, send an embedding');
}

/**
 * Convert updates that give raw features to updates with vectors, which the candidate tower of this version computes.
 */
export function withEmbeddings(servable: Servable, updates: readonly RequestedUpdate[]): Update[] {
  const given = updates.flatMap((update) => ('features' in update ? [update.features] : []));
  const d = servable.dimensions;
  const rows = servable.embedCandidates(given);
  let at = 0;
  return updates.map((update) => {
    if (!('features' in update)) return update;
    const { features: _, ...rest } = update;
    const embedding = rows.slice(at, at + d);
    at += d;
    return { ...rest, embedding };
  });
}
