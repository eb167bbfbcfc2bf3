/** The version, the overview of all commands, and the help page of each (its folder has the text). */
import { readFileSync } from 'node:fs';
import { HELP as BENCH } from './bench/help.ts';
import { HELP as COMPRESS } from './compress/help.ts';
import { HELP as EVALUATE } from './evaluate/help.ts';
import { HELP as EXPORT } from './export/help.ts';
import { HELP as INIT } from './init/help.ts';
import { HELP as INSPECT } from './inspect/help.ts';
import { HELP as QUERY } from './query/help.ts';
import { HELP as RESTORE } from './restore/help.ts';
import { HELP as SERVE } from './serve/help.ts';
import { HELP as SIMILAR } from './similar/help.ts';
import { HELP as TRAIN } from './train/help.ts';
import { HELP as TUNE } from './tune/help.ts';
import { HELP as TUTORIAL } from './tutorial/help.ts';
import { HELP as INDEX } from './vector-index/help.ts';

const manifest: { version: string } = JSON.parse(
  readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
) as { version: string };

/** The version of the command. */
export const VERSION: string = manifest.version;

const OVERVIEW: string = `shortlist ${VERSION}: the retrieval stage of a recommender

Usage: shortlist COMMAND [OPTIONS]

Commands
  bench        measure the latency, the throughput and the recall of a bundle on this machine
  compress     train every embedding method at several sizes on your data; writes tables and a chart
  evaluate     measure a bundle on later interactions, and compare it with popularity, item-kNN and EASE
  export       write recommendations, neighbours or vectors as Parquet, CSV, JSON Lines or .npy
  index        index your own vectors, tuned to a recall: shortlist index vectors.npy --out x.shortlist
  init         write a configuration for your files, so that the other commands need no arguments
  inspect      describe a file of interactions (columns, quality), a file of vectors, or a bundle
  query        find the best candidates for a query: shortlist query x.shortlist 42
  restore      copy a bundle into a folder of versions as the newest one: shortlist restore BUNDLE FOLDER
  serve        answer queries over HTTP and gRPC: shortlist serve BUNDLE… or NAME=BUNDLE…, each a
               bundle file, a folder with one bundle file, or a folder of versions 1, 2, 3, …
  similar      find the candidates most similar to given ones: shortlist similar movies.shortlist 1
  train        train a model on interactions and write a bundle: shortlist train ratings.csv --items movies.csv
  tune         find the cheapest search settings of a bundle that reach a recall
  tutorial     train a two-tower model on MovieLens-100K, evaluate it, index the movies, print
               a user's shortlist, save and load the bundle, and print the same shortlist again

shortlist COMMAND --help shows the options of a command; shortlist --version the version.

Exit codes: 0 success, 1 an error in the input or during the work, 2 an error in the arguments,
130 ended by Ctrl-C, 141 the reader of the output closed it.
`;

/** The page of each command. */
const PAGES: Readonly<Record<string, string>> = {
  bench: BENCH,
  compress: COMPRESS,
  evaluate: EVALUATE,
  export: EXPORT,
  index: INDEX,
  init: INIT,
  inspect: INSPECT,
  query: QUERY,
  restore: RESTORE,
  serve: SERVE,
  similar: SIMILAR,
  train: TRAIN,
  tune: TUNE,
  tutorial: TUTORIAL,
};

/** The names of all commands. */
export const COMMAND_NAMES: readonly string[] = Object.keys(PAGES);

/** The text of `shortlist --help`, or of a command's --help. */
export function help(command?: string): string {
  return command !== undefined && COMMAND_NAMES.includes(command) ? PAGES[command]! : OVERVIEW;
}

/** The options that the page of a command names, without their dashes. */
export function optionsOf(command: string): string[] {
  return [...new Set(Array.from(help(command).matchAll(/--([a-z][a-z-]*)/g), ([, name]) => name!))];
}
