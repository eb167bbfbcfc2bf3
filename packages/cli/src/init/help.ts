/** The page that `shortlist init --help` prints. */
export const HELP = `shortlist init: look at files and propose a configuration, so that the other commands need no arguments

Usage: shortlist init [FILE…] [OPTIONS], for example:
  shortlist init ratings.csv movies.csv
  shortlist train

Without FILE the command reads all tables in this folder. It recognises by the columns which file has the interactions
and which the items. If that is not clear it asks on a terminal; without a terminal, name the files.
It writes shortlist.config.json, with a section for each command and an entry for each of its options.
Options
  --out FILE       the bundle that the configuration trains and serves (default: the name of the items' or the
                   interactions' file with .shortlist)
  --force          replace an existing configuration
`;
