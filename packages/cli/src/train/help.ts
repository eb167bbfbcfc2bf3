/** The page that `shortlist train --help` prints. */
export const HELP = `shortlist train: from files of interactions and items to a bundle that is served

Usage: shortlist train INTERACTIONS… [--items ITEMS] [OPTIONS], for example:
  shortlist train ratings.csv --items movies.csv
  shortlist query movies.shortlist 42
  shortlist serve movies.shortlist

Interactions are CSV, TSV, JSON Lines (as they are, gzip or zstd), Parquet, Arrow IPC, MovieLens's ::, or a
line a user (user item item …); several files are one set. Columns are recognised unless they are named.
The last items of users are held out. The model and its settings are chosen on one part of them and judged on
the other, beside popularity, item-kNN and EASE; what is saved is fitted again on everything.
Options
  --items FILE     a table of items (CSV, JSON Lines, Parquet, …): its columns become attributes, such as titles
  --out PATH       where the bundle is written (default: the name of the items' or the interactions' file
                   with .shortlist, in this folder). A folder, or a name without an ending, is a folder of
                   versions: the next one is written, whole or not at all, unless it is worse than the
                   newest by more than the interval of both
  --from PATH      go on from an earlier bundle, or from the newest version of a folder: its model and
                   settings, without a search; known users and items keep their rows, new ones get theirs
  --model WORD     auto, als or two-tower (default auto: both, and what validation prefers is kept)
  --budget TIME    for everything: 90s, 5m, 1h (default 5m)
  --k N            the number of results that is judged by (default 10)
  --recall SHARE   of the exact best k that a large index shall find (default 0.98)
  --seed N         seed of everything random (default 42)
  --like TEXT      rows that count: "rating >= 4", "event in (buy, cart)" (default: all, or of ratings those
                   of at least four fifths of the largest)
  --user-column NAME, --item-column NAME, --value-column NAME, --weight-column NAME,
  --time-column NAME, --event-column NAME
                   columns by name; none for one that is not to be used
  --id-column NAME, --title-column NAME
                   columns of the items
  --list-columns NAMES
                   the columns of lists of the items, with commas, '' for none (default: those whose values
                   | or ; separates)
  --delimiter TEXT what separates fields (default recognised)
  --header WORD    yes or no: whether the first line has names (default recognised)
  --strict         the first broken row is an error (default: rows are left out and counted)
  --force          replace a bundle that exists; publish a version that is worse
  --json           one JSON object a line

Ctrl-C: the trials that are done are kept beside the output (OUT.trials), and the same command goes on from them.
`;
