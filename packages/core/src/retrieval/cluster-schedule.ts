/**
 * The clustering of CQR tables during training: its schedule, and the work at each scheduled step.
 *
 * Source: the CCE paper (NeurIPS 2023), section 5 and figure 9: more clusterings help, more training between two
 * of them helps, and training must converge after the last one, so that none is in the last quarter of a run.
 */

import { checkInteger, checkPositive } from '../checks/numbers.ts';
import { BOOLEAN, NUMBER, optionsCheck } from '../checks/options.ts';
import { type ClusterOptions, clusterLocked } from '../embeddings/cluster.ts';
import type { ClusterHealth } from '../embeddings/cluster-health.ts';
import type { EmbeddingTable } from '../embeddings/contract.ts';
import { Cqr } from '../embeddings/cqr.ts';
import { DivergedError, OptionError } from '../errors/errors.ts';
import type { SparseOptimizer } from '../optimizers/contract.ts';
import { isFrozen } from '../optimizers/parameter-groups.ts';

/** Share of a run after which there is no clustering. */
const LAST_SHARE = 0.75;
/** The most clusterings of a run: a list of more is a mistake and takes seconds to make. */
const CLUSTERINGS_MAX = 1_000_000;

/** The schedule of clusterings, and their options. */
export interface ClusterSchedule extends Pick<ClusterOptions, 'iterations'> {
  /** Epochs between two clusterings, fractions allowed; default 1. */
  every?: number;
  /** The most clusterings; default: as many as fit into the first three quarters of the run. */
  times?: number;
  /** Whether the last clustering keeps a helper table M' (CCE) or drops it (one-step CQR, where `times` is 1); default true. */
  helper?: boolean;
}

const checkSchedule = optionsCheck<ClusterSchedule>('clusterings', {
  every: NUMBER,
  times: NUMBER,
  helper: BOOLEAN,
  iterations: NUMBER,
});

/** The record of one clustering of one table. */
export interface ClusterRecord {
  /** The number of the epoch, from 1. */
  epoch: number;
  /** The step of the epoch, from 1, after which the table was clustered. */
  step: number;
  /** The name of the table. */
  table: string;
  health: ClusterHealth;
  seconds: number;
  /** Present where columns have collapsed. */
  warning?: string;
}

/**
 * Steps of a run, counted from 1 through all epochs, after which tables are clustered, ascending.
 *
 * @throws {OptionError} when `every` is not above 0, a count no whole number, or there are a million clusterings or more
 */
export function clusterSteps(schedule: ClusterSchedule, steps: number, epochs: number): number[] {
  const { every = 1, times } = checkSchedule(schedule);
  checkPositive('clusterings.every', every);
  if (times !== undefined) checkInteger('clusterings.times', times, 0);
  checkInteger('steps', steps, 0);
  checkInteger('epochs', epochs, 0);

  // At most one clustering after each step.
  const interval = Math.max(1, every * steps);
  const last = LAST_SHARE * steps * epochs;
  const most = Math.min(times ?? Number.POSITIVE_INFINITY, last / interval);
  if (most > CLUSTERINGS_MAX) {
    throw new OptionError(`clusterings: expected at most ${CLUSTERINGS_MAX} in a run, got ${Math.floor(most)}`);
  }
  const due: number[] = [];
  for (let i = 1; i <= (times ?? Number.POSITIVE_INFINITY) && Math.round(i * interval) <= last; i++) {
    const step = Math.max(1, Math.round(i * interval));
    if (due.at(-1) !== step) due.push(step);
  }
  return due;
}

/** A table and its name in messages. */
export interface NamedTable {
  name: string;
  table: EmbeddingTable;
}

/** The state of a run at a clustering. */
export interface ClusterMoment {
  epoch: number;
  step: number;
  /** Whether this is the schedule's last clustering. */
  isLast: boolean;
  optimizer: SparseOptimizer;
  signal?: AbortSignal | undefined;
  clock: () => number;
  /** Called with the share of this moment's work that is done. */
  onProgress?: ((share: number) => void) | undefined;
}

/**
 * Cluster those of the named tables that learn pointers and are not frozen.
 *
 * @throws {DivergedError} naming epoch and step when a vector is NaN or infinite; the table stays as it was
 * @throws {AbortedError} when the signal is raised; the table stays as it was
 */
export async function clusterTables(
  tables: readonly NamedTable[],
  schedule: ClusterSchedule,
  { epoch, step, isLast, optimizer, signal, clock, onProgress }: ClusterMoment,
): Promise<ClusterRecord[]> {
  const learning = tables.flatMap(({ name, table }) =>
    table instanceof Cqr && table.sums === 2 && !isFrozen(optimizer, table.codebook) ? [{ name, table }] : [],
  );
  const records: ClusterRecord[] = [];
  const { iterations, helper = true } = schedule;
  for (const [i, { name, table }] of learning.entries()) {
    const start = clock();
    try {
      const health = await clusterLocked(table, {
        helper: helper || !isLast,
        optimizer,
        signal,
        onProgress: (share) => onProgress?.((i + share) / learning.length),
        ...(iterations === undefined ? {} : { iterations }),
      });
      records.push({ epoch, step, table: name, health, seconds: (clock() - start) / 1000, ...warning(name, health) });
    } catch (error) {
      if (!(error instanceof DivergedError)) throw error;
      throw new DivergedError(`${error.message}, in ${name} after epoch ${epoch}, step ${step}`);
    }
  }
  return records;
}

function warning(name: string, { collapsedColumns, h1 }: ClusterHealth): { warning?: string } {
  if (collapsedColumns.length === 0) return {};
  const columns = collapsedColumns.join(', ');
  return {
    warning: `${name}: column ${columns} has collapsed (H1 ${h1.toFixed(2)} bits); try fewer clusterings or more columns`,
  };
}
