/** The page of `shortlist inspect --help`. */
export const HELP: string = `shortlist inspect: describe a file of interactions, a file of vectors, or a bundle

Usage: shortlist inspect FILE… [OPTIONS], for example: shortlist inspect ratings.csv --items movies.csv

Interactions are CSV, TSV or JSON Lines (plain, gzip or zstd), Parquet, Arrow IPC, MovieLens's ::, or one line
for each user (user item item …). Several files are read as one set. Columns are recognised unless they are named.
Options
  --items FILE     a table of items: prints its columns, and the items that are missing from it
  --test FILE      the test part: prints the rows and items that it shares with the training part
  --like TEXT      rows that count as a like: "rating >= 4", "event in (buy, cart) and not country = US"
  --user-column NAME, --item-column NAME, --value-column NAME, --weight-column NAME,
  --time-column NAME, --event-column NAME
                   columns by name; none for one that is not to be used
  --delimiter TEXT what separates fields (default recognised)
  --header WORD    yes or no: whether the first line has names (default recognised)
  --strict         the first broken row is an error (default: rows are left out and counted)
  --json           one JSON object a line
`;
