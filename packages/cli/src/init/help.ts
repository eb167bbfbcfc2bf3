/** The page that `shortlist init --help` prints. */
export const HELP = `shortlist init: write a configuration for your files, so that the other commands need no arguments

Usage: shortlist init [FILE…] [OPTIONS], for example:
  shortlist init ratings.csv movies.csv
  shortlist train

Without FILE the command reads all tables in the current folder. It recognises the interactions and the items by their
columns. If it cannot decide, it asks; where it cannot ask, in a script for example, name the files.
It writes shortlist.config.json, with a section for each command and an entry for each of its options.
Options
  --out FILE       the bundle that the configuration trains and serves (default: the name of the items' or the
                   interactions' file with .shortlist)
  --force          replace an existing configuration
`;
