/** Reuses the record of a call of one query for later calls of one query with the same plan. */
import type { LinearMemory } from '../../../memory/linear-memory.ts';
import { type Leaves, rowStride } from '../leaves.ts';
import type { CallLayout } from './call-buffers.ts';
import type { CallAddress } from './call-record.ts';
import type { SearchPlan } from './plan.ts';

/** The memory and the record of a call of one query, for a call with the same index, the same plan and a new query. */
export class SingleCall {
  readonly query: Float32Array;
  readonly scores: Float32Array;
  readonly rows: Int32Array;
  readonly count: Int32Array;
  /** The record that the call wrote. */
  readonly record: CallAddress;
  readonly #leaves: Leaves;
  readonly #capacity: number;
  readonly #plan: SearchPlan;

  constructor(
    memory: LinearMemory,
    leaves: Leaves,
    plan: SearchPlan,
    { queries, scores, rows, counts }: CallLayout,
    record: CallAddress,
  ) {
    const { buffer } = memory.memory;
    this.query = new Float32Array(buffer, queries, rowStride(leaves.shape.dimensions));
    this.scores = new Float32Array(buffer, scores, plan.k);
    this.rows = new Int32Array(buffer, rows, plan.k);
    this.count = new Int32Array(buffer, counts, 1);
    this.record = record;
    this.#leaves = leaves;
    this.#capacity = leaves.shape.groups;
    this.#plan = plan;
  }

  serves(leaves: Leaves, plan: SearchPlan): boolean {
    const own = this.#plan;
    return (
      this.#leaves === leaves &&
      this.#capacity === leaves.shape.groups &&
      own.k === plan.k &&
      own.leavesToSearch === plan.leavesToSearch &&
      own.upperToOpen === plan.upperToOpen &&
      own.reorder === plan.reorder &&
      own.boundRank === plan.boundRank &&
      own.pruneBeta === plan.pruneBeta &&
      own.filter === plan.filter &&
      plan.exclusions === undefined &&
      own.listed?.slots === plan.listed?.slots &&
      own.listed?.count === plan.listed?.count
    );
  }
}
