/**
 * The type of a configuration file, `shortlist.config.ts` or `.json`: a section for each command, with an entry for each
 * option of the command. The help page of the command describes its options; a test checks that the entries are the same.
 */

import type { FeatureModelSpec } from 'shortlist/recommenders';

/** A value on the command line: text, or a number that is written as one. */
type Value = string | number;

/** The fields of every section. */
export interface Section {
  /** The positional arguments: files, and for `query` and `similar` also queries. */
  files?: string | readonly string[];
}

/** Options of commands that read interactions: `evaluate`, `inspect`, `train`. */
export interface InteractionSection extends Section {
  like?: Value;
  userColumn?: Value;
  itemColumn?: Value;
  valueColumn?: Value;
  weightColumn?: Value;
  timeColumn?: Value;
  eventColumn?: Value;
  delimiter?: Value;
  header?: Value;
  strict?: boolean;
}

/** Options of commands that read a table of items: `index`, `train`. */
export interface ItemSection extends Section {
  items?: Value;
  idColumn?: Value;
  titleColumn?: Value;
  listColumns?: Value;
}

/** Options of `shortlist bench`. */
export interface BenchSection extends Section {
  k?: Value;
  queries?: Value;
  seconds?: Value;
  json?: boolean;
}

/** Options of `shortlist compress`. */
export interface CompressSection extends Section {
  data?: Value;
  budgets?: Value;
  methods?: Value;
  seeds?: Value;
  columns?: Value;
  clusterings?: Value;
  epochs?: Value;
  out?: Value;
  json?: boolean;
}

/** Options of `shortlist evaluate`. */
export interface EvaluateSection extends InteractionSection {
  train?: Value;
  k?: Value;
  seed?: Value;
  json?: boolean;
}

/** Options of `shortlist export`. */
export interface ExportSection extends Section {
  what?: Value;
  queries?: Value;
  out?: Value;
  k?: Value;
  force?: boolean;
  excludeSeen?: boolean;
}

/** Options of `shortlist index`. */
export interface IndexSection extends ItemSection {
  out?: Value;
  ids?: Value;
  vectorColumn?: Value;
  vectorIdColumn?: Value;
  memoryBytes?: Value;
  measure?: Value;
  recall?: Value;
  k?: Value;
  seed?: Value;
  strict?: boolean;
  force?: boolean;
}

/** Options of `shortlist init`. */
export interface InitSection extends Section {
  out?: Value;
  force?: boolean;
}

/** Options of `shortlist inspect`. */
export interface InspectSection extends InteractionSection {
  items?: Value;
  test?: Value;
  json?: boolean;
}

/** Options of `shortlist query`. */
export interface QuerySection extends Section {
  k?: Value;
  history?: Value;
  exclude?: Value;
  excludeSeen?: boolean;
  perValue?: Value;
  mmr?: Value;
  mmrCandidates?: Value;
  scoreThreshold?: Value;
  pin?: Value;
  block?: Value;
  json?: boolean;
}

/** Options of `shortlist serve`. */
export interface ServeSection extends Section {
  host?: Value;
  httpPort?: Value;
  grpcPort?: Value;
  processes?: Value;
  policy?: Value;
  keys?: Value;
  tlsCert?: Value;
  tlsKey?: Value;
  tlsCa?: Value;
  insecure?: boolean;
  cors?: Value;
  allowedHosts?: Value;
  rate?: Value;
  fsync?: Value;
  waitMs?: Value;
  queue?: Value;
  maxK?: Value;
  rebalance?: Value;
  journalDamage?: Value;
  whenLocked?: Value;
  keepVersions?: Value;
  canary?: Value;
  rows?: Value;
  rowCacheBytes?: Value;
  lameDuckMs?: Value;
  drainMs?: Value;
  config?: Value;
  logLevel?: Value;
}

/** Options of `shortlist similar`. */
export interface SimilarSection extends Section {
  k?: Value;
  vector?: Value;
  exclude?: Value;
  include?: Value;
  perValue?: Value;
  mmr?: Value;
  mmrCandidates?: Value;
  scoreThreshold?: Value;
  pin?: Value;
  block?: Value;
  json?: boolean;
}

/** Options of `shortlist train`. */
export interface TrainSection extends InteractionSection, ItemSection {
  out?: Value;
  from?: Value;
  model?: Value;
  /** The path of a spec, or the spec itself. */
  features?: Value | FeatureModelSpec;
  users?: Value;
  budget?: Value;
  split?: Value;
  k?: Value;
  recall?: Value;
  seed?: Value;
  log?: Value;
  force?: boolean;
  json?: boolean;
}

/** Options of `shortlist tune`. */
export interface TuneSection extends Section {
  out?: Value;
  recall?: Value;
  k?: Value;
  queries?: Value;
  force?: boolean;
  json?: boolean;
}

/** Options of `shortlist tutorial`. */
export interface TutorialSection extends Section {
  data?: Value;
  epochs?: Value;
  seed?: Value;
  user?: Value;
  save?: Value;
  copies?: Value;
  resume?: Value;
  embedding?: Value;
  budget?: Value;
  json?: boolean;
}

/** A configuration; options on the command line override it. */
export interface ShortlistConfig {
  bench?: BenchSection;
  compress?: CompressSection;
  evaluate?: EvaluateSection;
  export?: ExportSection;
  index?: IndexSection;
  init?: InitSection;
  inspect?: InspectSection;
  query?: QuerySection;
  restore?: Section;
  serve?: ServeSection;
  similar?: SimilarSection;
  train?: TrainSection;
  tune?: TuneSection;
  tutorial?: TutorialSection;
}

/** Returns its argument; with it, the compiler checks a configuration and an editor completes it. */
export function defineConfig(config: ShortlistConfig): ShortlistConfig {
  return config;
}
