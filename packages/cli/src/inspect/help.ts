/** The page of `shortlist inspect --help`. */
export const HELP: string = `shortlist inspect: what a file of interactions, a file of vectors or a bundle holds

Usage: shortlist inspect FILE… [OPTIONS], for example: shortlist inspect ratings.csv --items movies.csv

Interactions are CSV, TSV, JSON Lines (as they are, gzip or zstd), Parquet, Arrow IPC, MovieLens's ::, or a
line a user (user item item …); several files are one set. Columns are recognised unless they are named.
Options
  --items FILE     a table of items: reports its columns, and which items it lacks
  --test FILE      the test part: reports what it shares with the training part
  --like TEXT      rows that count as a like: "rating >= 4", "event in (buy, cart) and not country = US"
  --user-column NAME, --item-column NAME, --value-column NAME, --weight-column NAME,
  --time-column NAME, --event-column NAME
                   columns by name; none for one that is not to be used
  --delimiter TEXT what separates fields (default recognised)
  --header WORD    yes or no: whether the first line has names (default recognised)
  --strict         the first broken row is an error (default: rows are left out and counted)
  --json           one JSON object a line
`;
