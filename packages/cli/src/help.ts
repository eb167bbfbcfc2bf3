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
  bench        how fast a bundle answers on this machine, and how much of the exact answer it finds
  compress     train every embedding method at every budget on your data; tables and a figure
  evaluate     how good a bundle is on later interactions, beside popularity, item-kNN and EASE
  export       recommendations for many queries as Parquet, CSV or JSON Lines
  index        index vectors of your own, tuned to a recall: shortlist index vectors.npy --out x.shortlist
  init         look at files and propose a configuration, so that the other commands need no arguments
  inspect      what a file holds: interactions (columns, quality), vectors, or a bundle
  query        the best candidates of a bundle for a query: shortlist query x.shortlist 42
  restore      put a bundle into a folder of versions as its newest: shortlist restore BUNDLE FOLDER
  serve        answer over HTTP and gRPC: shortlist serve BUNDLE… or NAME=BUNDLE…, each a bundle
               file (saveBundle, tutorial --save), a folder that holds one, or a folder of
               versions 1, 2, 3, …
  similar      candidates like others: shortlist similar movies.shortlist 1
  train        from interactions and items to a bundle: shortlist train ratings.csv --items movies.csv
  tune         the cheapest search of a bundle that reaches a recall
  tutorial     train a two-tower model on MovieLens-100K, evaluate it, index the movies,
               print a user's shortlist, save, load, and print the same again

shortlist COMMAND --help shows the options of a command; shortlist --version the version.

Exit codes: 0 done, 1 a mistake in the input or a failure that is named, 2 a mistake in the arguments,
130 ended by Ctrl-C, 141 nobody reads the output any more.
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
