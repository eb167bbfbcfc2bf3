/**
 * Tiles of logits: as many rows as a fixed budget holds, so that B × B logits are never in memory at once.
 *
 * Tiles depend on shapes alone, so results do not depend on the number of threads.
 */
import type { Matrix } from '../vectors/matrix.ts';
import { multiplyRows, multiplyTransposed } from '../vectors/multiply.ts';
import type { RetrievalGradient } from './batch.ts';

/** The most logits in memory at once: they fit into a core's share of the last-level cache beside the embeddings. */
const TILE_BYTES = 16 * 2 ** 20;

/** Rows of a tile of `columns` logits: a multiple of `multiple`, at least that. */
export function tileRows(columns: number, multiple: number): number {
  return Math.max(multiple, Math.floor(TILE_BYTES / (4 * columns) / multiple) * multiple);
}

/** A tile of logit gradients G [rows, stride] of the queries first … first + rows − 1. */
export interface LogitTile {
  offset: number;
  stride: number;
  first: number;
  rows: number;
}

/** Query gradients of the tile's rows = G · C; candidate gradients += Gᵀ · Q. */
export function multiplyTile(
  { offset, stride, first, rows }: LogitTile,
  queries: Matrix,
  candidates: Matrix,
  { queryGradients, candidateGradients }: Pick<RetrievalGradient, 'queryGradients' | 'candidateGradients'>,
): void {
  const { runtime } = queries;
  const [d, m] = [queries.dimensions, candidates.rows];
  const at = 4 * first * d;
  const tile = { a: offset, aStride: stride, m: rows, n: m, d };
  multiplyRows(runtime, { ...tile, b: candidates.offset, c: queryGradients.offset + at });
  multiplyTransposed(runtime, { ...tile, b: queries.offset + at, c: candidateGradients.offset });
}
