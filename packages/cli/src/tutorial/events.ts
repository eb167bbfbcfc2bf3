/** The events that the tutorial reports, one for each step; the text output and `--json` show the same events. */
import type { Event } from '../terminal/reporter.ts';

/** The data are chosen and read. */
export interface DataEvent extends Event {
  event: 'data';
  /** One line for people: which source, and why. */
  line: string;
  source: string;
  interactions: number;
  users: number;
  movies: number;
}

/** The data are split. */
export interface SplitEvent extends Event {
  event: 'split';
  train: number;
  test: number;
  titles: number;
}

/** The towers are made; rows of their tables, unknown words included. */
export interface TowersEvent extends Event {
  event: 'towers';
  users: number;
  titles: number;
  /** The method of the tables, and its share of the full ones' parameters. */
  method: string;
  share: number;
  /** The use of that budget by each table, in words. */
  split: string[];
}

/** A table was clustered. */
export interface ClusteredEvent extends Event {
  event: 'clustered';
  epoch: number;
  table: string;
  /** Smallest entropies of its pointers and of pairs of them, in bits. */
  h1: number;
  h2: number;
  emptyClusters: number;
  seconds: number;
  /** Present where a column collapsed. */
  warning?: string;
}

/** The bytes that compressed tables save and the quality that they lose against full ones of the same training. */
export interface CompressedEvent extends Event {
  event: 'compressed';
  method: string;
  share: number;
  /** Of both tables as saved, pointers included. */
  fullBytes: number;
  bytes: number;
  /** top_100_categorical_accuracy on the test part. */
  fullTop100: number;
  top100: number;
}

/** Bytes of a download so far. */
export interface DownloadEvent extends Event {
  event: 'download';
  receivedBytes: number;
  totalBytes: number;
}

/** One step of training is done. */
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

/** One epoch is done; the three losses are three different numbers. */
export interface EpochEvent extends Event {
  event: 'epoch';
  epoch: number;
  epochs: number;
  perExample: number;
  lastBatch: number;
  kerasBar: number;
  seconds: number;
}

/** The model was judged on the test part. */
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

/** The second half's candidates are made. */
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

/** An index is built. */
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

/** The cheapest setting that reaches a recall, by counted work. */
export interface TunedEvent extends Event {
  event: 'tuned';
  targetRecall: number;
  k: number;
  /** Settings tried. */
  tried: number;
  leavesToSearch: number;
  reorder: number;
  /** Standard errors within which groups of candidates are searched; 0: all are. */
  groupBound: number;
  recall: number;
  /** A query's work. */
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

/** The bundle was read and asked the same. */
export interface LoadedEvent extends Event {
  event: 'loaded';
  seconds: number;
  /** Same titles and the same bits of every score. */
  identical: boolean;
}

/** Everything the tutorial reports. */
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
