/** Reads the rows of a source in blocks of one size, one block ahead of the caller. */
import { StateError } from '../errors/errors.ts';
import type { Features } from '../towers/tower-inputs.ts';
import type { RetrievalDataset } from './dataset.ts';
import type { RetrievalSource } from './source.ts';

/** Columns of a data set beside the features. */
const COLUMNS = ['sampleWeight', 'candidateSamplingProbability', 'candidateIds'] as const;

/** A block that collects rows of pieces. */
class Block<Q extends Features, C extends Features> {
  readonly queries: Q[] = [];
  readonly candidates: C[] = [];
  readonly #columns = new Map<(typeof COLUMNS)[number], (string | number | bigint)[]>();

  get rows(): number {
    return this.queries.length;
  }

  /** Add the rows from … to − 1 of a piece. @throws {StateError} when the piece has other columns than those before */
  add(piece: RetrievalDataset<Q, C>, from: number, to: number): void {
    const before = this.rows;
    for (let i = from; i < to; i++) {
      this.queries.push(piece.queries[i]!);
      this.candidates.push(piece.candidates[i]!);
    }
    for (const name of COLUMNS) {
      const [given, known] = [piece[name], this.#columns.get(name)];
      if (before > 0 && !given !== !known) {
        throw new StateError(`source.${name}: expected it in every piece or in none, got both`);
      }
      if (!given) continue;
      const column = known ?? [];
      this.#columns.set(name, column);
      for (let i = from; i < to; i++) column.push(given[i]!);
    }
  }

  dataset(): RetrievalDataset<Q, C> {
    const { queries, candidates } = this;
    return { queries, candidates, ...(Object.fromEntries(this.#columns) as Partial<RetrievalDataset<Q, C>>) };
  }
}

/**
 * The blocks of a pass from row `skip` on; the last may be smaller. While the caller works on a block, the next one is read.
 *
 * @throws whatever the source throws
 */
export async function* sourceBlocks<Q extends Features, C extends Features>(
  source: RetrievalSource<Q, C>,
  skip: number,
  blockRows: number,
): AsyncGenerator<RetrievalDataset<Q, C>, void> {
  const blocks = gather(source.read(skip), blockRows);
  let next = blocks.next();
  try {
    for (let { value, done } = await next; !done; { value, done } = await next) {
      next = blocks.next();
      // An error is thrown where the block is awaited.
      next.catch(() => undefined);
      yield value!;
    }
  } finally {
    await next.catch(() => undefined);
    await blocks.return();
  }
}

async function* gather<Q extends Features, C extends Features>(
  pieces: ReturnType<RetrievalSource<Q, C>['read']>,
  blockRows: number,
): AsyncGenerator<RetrievalDataset<Q, C>, void> {
  let block = new Block<Q, C>();
  for await (const piece of pieces) {
    const rows = piece.queries.length;
    for (let from = 0; from < rows; ) {
      const to = Math.min(rows, from + blockRows - block.rows);
      block.add(piece, from, to);
      from = to;
      if (block.rows < blockRows) continue;
      yield block.dataset();
      block = new Block<Q, C>();
    }
  }
  if (block.rows > 0) yield block.dataset();
}
