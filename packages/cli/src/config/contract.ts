/**
 * The type of a configuration file, `shortlist.config.ts` or `.json`: a section for each command, an entry for each option of its
 * help page, which says what it does. A test holds the entries to the pages.
 */

/** A value on the command line: text, or a number that is written as one. */
type Value = string | number;

/** The fields of every section. */
export interface Section {
  /** The arguments on the command line without an option. */
  files?: string | readonly string[];
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
export interface EvaluateSection extends Section {
  train?: Value;
  k?: Value;
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
export interface IndexSection extends Section {
  out?: Value;
  ids?: Value;
  items?: Value;
  idColumn?: Value;
  titleColumn?: Value;
  listColumns?: Value;
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
export interface InspectSection extends Section {
  items?: Value;
  test?: Value;
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
  lameDuckMs?: Value;
  drainMs?: Value;
  config?: Value;
  logLevel?: Value;
}

/** Options of `shortlist similar`. */
export interface SimilarSection extends Section {
  k?: Value;
  exclude?: Value;
  include?: Value;
  json?: boolean;
}

/** Options of `shortlist train`. */
export interface TrainSection extends Section {
  items?: Value;
  out?: Value;
  from?: Value;
  model?: Value;
  budget?: Value;
  k?: Value;
  recall?: Value;
  seed?: Value;
  like?: Value;
  userColumn?: Value;
  itemColumn?: Value;
  valueColumn?: Value;
  weightColumn?: Value;
  timeColumn?: Value;
  eventColumn?: Value;
  idColumn?: Value;
  titleColumn?: Value;
  listColumns?: Value;
  delimiter?: Value;
  header?: Value;
  strict?: boolean;
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

/** A configuration; what the command line says overrides it. */
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

/** The configuration that it is given: the compiler checks it, and an editor completes it. */
export function defineConfig(config: ShortlistConfig): ShortlistConfig {
  return config;
}
