/**
 * The exact best rows of some of the vectors of a file, in one more pass over it, so that no index has to hold the vectors.
 *
 * `Streaming` ranks by ⟨q, x⟩. For the cosine all vectors are scaled to length 1. For squared distances they get one more
 * number: ⟨(q, 1), (x, −|x|²/2)⟩ = (|q|² − |q − x|²)/2, whose order is that of −|q − x|².
 */
import type { VectorFile } from '@shortlist/data';
import { type DistanceMeasure, Streaming, type TopKResult } from 'shortlist';
import type { Progress } from 'shortlist/quantization';
import { type CountedZeros, namedBatches } from './named-vectors.ts';

/** Vectors as rows of the same width. */
export interface Rows {
  readonly data: Float32Array;
  readonly dimensions: number;
}

/** The vectors of a file, and those of them that are queries. */
export interface ExactInput {
  readonly file: VectorFile;
  /** One per row of the file, '' for rows to leave out; undefined for row numbers. */
  readonly identifiers: readonly string[] | undefined;
  readonly queries: Rows;
}

/** The k best rows of each query, by the number of the row among those that are not left out, and the vectors of zeros. */
export async function exactResults(
  { file, identifiers, queries }: ExactInput,
  { distanceMeasure, k }: { distanceMeasure: DistanceMeasure; k: number },
  signal: AbortSignal,
  onProgress: (progress: Progress) => void,
): Promise<{ truth: TopKResult<number> } & CountedZeros> {
  const { dimensions } = queries;
  let zeros = 0;
  const dataset = async function* (): AsyncGenerator<Rows> {
    for await (const { data, endRow, zeros: some } of namedBatches(file, identifiers, signal)) {
      zeros += some;
      onProgress({ step: 'exact results', done: endRow, total: file.rows });
      yield forDotProducts({ data, dimensions }, distanceMeasure, false);
    }
  };
  const exact = new Streaming<ArrayLike<number>, number>({ dataset, k });
  const truth = await exact.callAsync(forDotProducts(queries, distanceMeasure, true), { k, signal });
  return { truth, zeros };
}

/** Rows whose order by ⟨q, x⟩ is that of the measure. */
function forDotProducts({ data, dimensions: d }: Rows, measure: DistanceMeasure, isQueries: boolean): Rows {
  if (measure === 'dot_product') return { data, dimensions: d };
  const isCosine = measure === 'cosine';
  const width = isCosine ? d : d + 1;
  const made = new Float32Array((data.length / d) * width);
  for (let row = 0; row * d < data.length; row++) {
    const from = data.subarray(row * d, (row + 1) * d);
    const square = from.reduce((sum, x) => sum + x * x, 0);
    if (isCosine) {
      const scale = square > 0 ? 1 / Math.sqrt(square) : 0;
      for (let t = 0; t < d; t++) made[row * d + t] = scale * from[t]!;
    } else {
      made.set(from, row * width);
      made[row * width + d] = isQueries ? 1 : -square / 2;
    }
  }
  return { data: made, dimensions: width };
}
