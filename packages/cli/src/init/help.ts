/** The page that `shortlist init --help` prints. */
export const HELP = `shortlist init: look at files and propose a configuration, so that the other commands need no arguments

Usage: shortlist init [FILE…] [OPTIONS], for example:
  shortlist init ratings.csv movies.csv
  shortlist train

Without files all tables in this folder are looked at. Which file has the interactions and which the items is
recognised by the columns; where that is not clear, a terminal is asked, and elsewhere the files are to be named.
shortlist.config.json is written: a section for each command, an entry for each of its options.
Options
  --out FILE       the bundle that the configuration trains and serves (default: the name of the items' or the
                   interactions' file with .shortlist)
  --force          replace a configuration that exists
`;
