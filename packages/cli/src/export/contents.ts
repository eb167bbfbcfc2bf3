/**
 * The contents that `shortlist export` writes. A content has columns, and computes its rows for a batch of sources: queries,
 * users or candidates.
 */
import type { OutputBatch, OutputColumn } from '@shortlist/data';
import { type Bundle, DataError, type Identifier, Matrix, type UpdatableTopK } from 'shortlist';
import { isUpdatable, searchSimilar, similarityVector } from 'shortlist/topk';
import type { Flags, Query } from '../query/search-request.ts';
import { knownUsers } from './known-users.ts';
import { recommend } from './recommendations.ts';

/** The names of the contents. */
export const CONTENTS = ['recommendations', 'neighbours', 'embeddings', 'users'] as const;
type LoadedBundle = Bundle<Query, Identifier>;

/** A table whose rows are computed from sources: queries, users or candidates. */
export interface Content {
  readonly columns: readonly OutputColumn[];
  /** The number of sources. */
  readonly sources: number;
  /** The word for the sources in messages. */
  readonly sourceName: string;
  rowsOf(first: number, end: number): OutputBatch;
}

const RANKED: readonly OutputColumn[] = [
  { name: 'rank', type: 'integer' },
  { name: 'identifier', type: 'text' },
  { name: 'score', type: 'number' },
];

/** The k best candidates of each query. */
export function recommendations(bundle: LoadedBundle, queries: readonly string[], k: number, flags: Flags): Content {
  return {
    columns: [{ name: 'query', type: 'text' }, ...RANKED],
    sources: queries.length,
    sourceName: 'queries',
    rowsOf: (first, end) => {
      const { query, rank, identifier, score } = recommend(bundle, queries.slice(first, end), k, flags);
      return [query, rank, identifier, score];
    },
  };
}

/** The query vectors of all users whom the model knows. @throws {DataError} as `knownUsers` */
export function users(path: string, bundle: LoadedBundle): Content {
  const known = knownUsers(path, bundle);
  const { queryModel, dimensions: width } = bundle.index;
  return {
    columns: [
      { name: 'user', type: 'text' },
      { name: 'vector', type: 'vector', width },
    ],
    sources: known.length,
    sourceName: 'users',
    rowsOf: (first, end) => {
      const part = known.slice(first, end);
      const vectors = queryModel!.embed(part);
      return [part, part.map((_, i) => vectors.row(i).slice())];
    },
  };
}

/** The vectors of all candidates. @throws {DataError} when the index does not hold them */
export function embeddings(path: string, bundle: LoadedBundle): Content {
  const { kept, rows } = liveRows(path, bundle);
  const width = kept.dimensions;
  return {
    columns: [
      { name: 'identifier', type: 'text' },
      { name: 'vector', type: 'vector', width },
    ],
    sources: rows.length,
    sourceName: 'candidates',
    rowsOf: (first, end) => {
      const read = kept.reader();
      const part = rows.slice(first, end);
      const vectors = part.map((row) => {
        const vector = new Float32Array(width);
        read(row, vector);
        return vector;
      });
      return [part.map((row) => String(kept.identifiers.of(row))), vectors];
    },
  };
}

/** The k candidates most similar to each candidate; a candidate whose vector is 0 has none. @throws {DataError} as `embeddings` */
export function neighbours(path: string, bundle: LoadedBundle, k: number): Content {
  const { index, kept, rows } = liveRows(path, bundle);
  return {
    columns: [{ name: 'candidate', type: 'text' }, ...RANKED],
    sources: rows.length,
    sourceName: 'candidates',
    rowsOf: (first, end) => {
      const read = kept.reader();
      const vector = new Float32Array(kept.dimensions);
      const part = rows.slice(first, end).filter((row) => {
        read(row, vector);
        return index.distanceMeasure === 'squared_l2' || vector.some((x) => x !== 0);
      });
      const candidates = part.map((row) => kept.identifiers.of(row));
      const found: [string[], number[], string[], number[]] = [[], [], [], []];
      if (part.length === 0) return found;
      const vectors = new Matrix(part.length, kept.dimensions);
      try {
        candidates.forEach((candidate, i) => {
          vectors.row(i).set(similarityVector(index, candidate));
        });
        const result = searchSimilar(index, vectors, { k, exclude: candidates.map((candidate) => [candidate]) });
        candidates.forEach((candidate, i) => {
          for (const [rank, { identifier, score }] of result.hits(i).entries()) {
            found[0].push(String(candidate));
            found[1].push(rank + 1);
            found[2].push(String(identifier));
            found[3].push(score);
          }
        });
      } finally {
        vectors.free();
      }
      return found;
    },
  };
}

function liveRows(path: string, { index }: LoadedBundle) {
  if (!isUpdatable(index))
    throw new DataError(`${path}: expected an index that holds its candidates, got one that reads them from a file`);
  const updatable: UpdatableTopK<Query, Identifier> = index;
  const kept = updatable.keptRows();
  const rows: number[] = [];
  for (let row = 0; row < kept.identifiers.size; row++) if (kept.isLive(row)) rows.push(row);
  return { index: updatable, kept, rows };
}
