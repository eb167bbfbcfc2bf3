/**
 * A task of the experiment: it trains two tables and evaluates them. The tasks differ in data and measure;
 * budgets, methods, results and figures know nothing of either.
 */
import type { EmbeddingOptions } from 'shortlist';
import type { EmbeddingTable } from 'shortlist/embeddings';
import type { ClusterRecord, ClusterSchedule } from 'shortlist/training';

/** A figure by name, the task's main one first. */
export type Figures = Readonly<Record<string, number>>;

/** Two tables. */
export interface Tables {
  queries: EmbeddingTable;
  candidates: EmbeddingTable;
}

/** The result of a training. */
export interface Trained {
  /** As they were at the best epoch. */
  tables: Tables;
  figures: Figures;
  bestEpoch: number;
  /** Training alone, without clustering and evaluation. */
  secondsPerEpoch: number;
  clusterings: readonly ClusterRecord[];
}

/** Options of a training. */
export interface TrainingOptions {
  /** For a table of so many ids. */
  embedding: (vocabularySize: number) => EmbeddingOptions;
  clusterings: ClusterSchedule | undefined;
  /** First pointers from the training data, not from hashes. */
  isPointedByCoOccurrence: boolean;
  seed: number;
  signal: AbortSignal;
  /** Called after each epoch. */
  onEpoch: (epoch: number, epochs: number) => void;
  /** A column of pointers collapsed. */
  onWarning: (warning: string) => void;
}

/** A task. */
export interface Experiment {
  readonly name: string;
  /** One line on the data and the protocol. */
  readonly line: string;
  /** Names of the figures; the first is the main one. */
  readonly figures: readonly string[];
  readonly isLowerBetter: boolean;
  readonly dimensions: number;
  /** Ids of the two tables. */
  readonly vocabularySizes: readonly [queries: number, candidates: number];
  train(options: TrainingOptions): Promise<Trained>;
  evaluate(tables: Tables): Figures;
}
