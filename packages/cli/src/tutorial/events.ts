/** The events that the tutorial reports, one for each step; the text output and `--json` show the same events. */
import type { Event } from '../terminal/reporter.ts';

/** The data were read. */
export interface DataEvent extends Event {
  event: 'data';
  /** A line that names the source of the data, and the reason for it. */
  line: string;
  source: string;
  interactions: number;
  users: number;
  movies: number;
}

/** The data were split into training and test part. */
export interface SplitEvent extends Event {
  event: 'split';
  train: number;
  test: number;
  titles: number;
}

/** The towers were made; `users` and `titles` are the rows of their tables, with those for unknown words. */
export interface TowersEvent extends Event {
  event: 'towers';
  users: number;
  titles: number;
  /** The method of the tables, and their share of the parameters of full tables. */
  method: string;
  share: number;
  /** A description of the matrices of each table. */
  split: string[];
}

/** A table was clustered. */
export interface ClusteredEvent extends Event {
  event: 'clustered';
  epoch: number;
  table: string;
  /** Smallest entropies of the pointers, and of pairs of pointers, in bits. */
  h1: number;
  h2: number;
  emptyClusters: number;
  seconds: number;
  /** Present if a column collapsed. */
  warning?: string;
}

/** Bytes and quality of compressed tables, compared with full tables of the same training. */
export interface CompressedEvent extends Event {
  event: 'compressed';
  method: string;
  share: number;
  /** Bytes of both full tables as saved, and below of both compressed tables with their pointers. */
  fullBytes: number;
  bytes: number;
  /** top_100_categorical_accuracy on the test part. */
  fullTop100: number;
  top100: number;
}

/** The progress of a download. */
export interface DownloadEvent extends Event {
  event: 'download';
  receivedBytes: number;
  totalBytes: number;
}

/** A step of training was done. */
export interface StepEvent extends Event {
  event: 'step';
  epoch: number;
  step: number;
  /** Share of the whole training that is done. */
  share: number;
  examplesPerSecond: number;
  lossPerExample: number;
  etaSeconds: number;
}

/** An epoch was done. It has three losses; the text output explains them. */
export interface EpochEvent extends Event {
  event: 'epoch';
  epoch: number;
  epochs: number;
  perExample: number;
  lastBatch: number;
  kerasBar: number;
  seconds: number;
}

/** The model was evaluated on the test part. */
export interface EvaluationEvent extends Event {
  event: 'evaluation';
  index: string;
  perExample: number;
  lastBatch: number;
  kerasBar: number;
  /** `factorized_top_k/top_10_categorical_accuracy` → share, … */
  metrics: Record<string, number>;
  seconds: number;
}

/** A user's shortlist. */
export interface ShortlistEvent extends Event {
  event: 'shortlist';
  index: string;
  user: string;
  hits: { title: string; score: number }[];
}

/** The time of one query, from raw features to titles. */
export interface LatencyEvent extends Event {
  event: 'latency';
  index: string;
  candidates: number;
  queries: number;
  p50Ms: number;
  p99Ms: number;
}

/** The candidates of the second half were made. */
export interface CorpusEvent extends Event {
  event: 'corpus';
  candidates: number;
  /** Randomly shrunk copies of every movie. */
  copies: number;
}

/** An index is being built. */
export interface BuildingEvent extends Event {
  event: 'building';
  leaves: number;
  step: string;
  share: number;
}

/** An index was built. */
export interface BuiltEvent extends Event {
  event: 'built';
  leaves: number;
  seconds: number;
  sizeBytes: number;
}

/** The recall of an index against exact search. */
export interface RecallEvent extends Event {
  event: 'recall';
  index: string;
  k: number;
  recall: number;
}

/** The settings with the least counted work that reach a recall. */
export interface TunedEvent extends Event {
  event: 'tuned';
  targetRecall: number;
  k: number;
  /** The number of settings that were tried. */
  tried: number;
  leavesToSearch: number;
  reorder: number;
  /** The number of standard errors within which groups of candidates are searched; 0 searches all groups. */
  groupBound: number;
  recall: number;
  /** The work of a query. */
  leaves: number;
  centroids: number;
  codes: number;
  reorders: number;
}

/** The bundle was written. */
export interface SavedEvent extends Event {
  event: 'saved';
  path: string;
  sizeBytes: number;
  seconds: number;
}

/** The bundle was loaded, and the same query was searched. */
export interface LoadedEvent extends Event {
  event: 'loaded';
  seconds: number;
  /** True if the titles, and all bits of the scores, are the same as before. */
  identical: boolean;
}

/** All events of the tutorial. */
export type TutorialEvent =
  | DataEvent
  | SplitEvent
  | TowersEvent
  | ClusteredEvent
  | CompressedEvent
  | DownloadEvent
  | StepEvent
  | EpochEvent
  | EvaluationEvent
  | ShortlistEvent
  | LatencyEvent
  | CorpusEvent
  | BuildingEvent
  | BuiltEvent
  | RecallEvent
  | TunedEvent
  | SavedEvent
  | LoadedEvent;
