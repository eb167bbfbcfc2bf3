/**
 * The interface of a task: it trains two tables and evaluates them. The tasks differ in their data and metrics; plans,
 * results and reports are the same for all tasks.
 */
import type { EmbeddingOptions } from 'shortlist';
import type { EmbeddingTable } from 'shortlist/embeddings';
import type { ClusterRecord, ClusterSchedule } from 'shortlist/training';

/** Metrics by name, the main metric of the task first. */
export type Figures = Readonly<Record<string, number>>;

/** Two tables. */
export interface Tables {
  queries: EmbeddingTable;
  candidates: EmbeddingTable;
}

/** The result of a training. */
export interface Trained {
  /** The tables after the best epoch. */
  tables: Tables;
  figures: Figures;
  bestEpoch: number;
  /** Training alone, without clustering and evaluation. */
  secondsPerEpoch: number;
  clusterings: readonly ClusterRecord[];
}

/**
 * The source of a CQR table's first pointers: hashes, clusters of co-occurrence (`pointByCoOccurrence`), or quantized
 * ALS (`fitQuantizedAls`), which also sets the centroids.
 */
export type FirstPointers = 'hashes' | 'co-occurrence' | 'als';

/** Options of a training. */
export interface TrainingOptions {
  /** The embedding options for a table of `vocabularySize` ids. */
  embedding: (vocabularySize: number) => EmbeddingOptions;
  clusterings: ClusterSchedule | undefined;
  /** The source of the first pointers. */
  firstPointers: FirstPointers;
  seed: number;
  signal: AbortSignal;
  /** Called after each epoch. */
  onEpoch: (epoch: number, epochs: number) => void;
  /** Called when a column of pointers has collapsed. */
  onWarning: (warning: string) => void;
}

/** A task. */
export interface Experiment {
  readonly name: string;
  /** One line that describes the data and the protocol. */
  readonly line: string;
  /** Names of the metrics, the main metric first. */
  readonly figures: readonly string[];
  readonly isLowerBetter: boolean;
  readonly dimensions: number;
  /** The numbers of ids of the two tables. */
  readonly vocabularySizes: readonly [queries: number, candidates: number];
  train(options: TrainingOptions): Promise<Trained>;
  evaluate(tables: Tables): Figures;
}
