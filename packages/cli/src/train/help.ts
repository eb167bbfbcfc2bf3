/** The page that `shortlist train --help` prints. */
export const HELP = `shortlist train: train a model on files of interactions, evaluate it, and write a bundle

Usage: shortlist train INTERACTIONS… [--items ITEMS] [OPTIONS], for example:
  shortlist train ratings.csv --items movies.csv
  shortlist query movies.shortlist 42
  shortlist serve movies.shortlist

Interactions are CSV, TSV or JSON Lines (plain, gzip or zstd), Parquet, Arrow IPC, MovieLens's ::, or one line
for each user (user item item …). Several files are read as one set. Columns are recognised unless they are named.
The last items of each user are held out. One part of them is used to choose the model and its settings, the other
to compare it with popularity, item-kNN and EASE. The model that is saved is fitted again on all interactions.
Options
  --items FILE     a table of items (CSV, JSON Lines, Parquet, …): its columns become attributes, such as titles
  --out PATH       where the bundle is written (default: the name of the items' or the interactions' file
                   with .shortlist, in this folder). A folder, or a name without an ending, is a folder of
                   versions: the next version is written into it, unless it is worse than the newest
                   one by more than the statistical error
  --from PATH      continue from an earlier bundle, or from the newest version of a folder, with its model and
                   settings and without a search; known users and items start from their vectors
  --model WORD     auto, als, two-tower, history or features (default auto: tries als and two-tower, and keeps the better
                   one in validation). history reads the items that a user chose before, so that it serves new users
                   and old users' next items without a new training; features needs --features
  --features FILE  a spec of the features of two towers, JSON: columns of the items, and of the users or interactions;
                   in a configuration file it may also be the object itself
  --users FILE     a table of users, whose columns the spec may name (CSV, JSON Lines, Parquet, …)
  --budget TIME    time for the whole command: 90s, 5m, 1h (default 5m)
  --split WORD     how rows are held out for validation and test: leave-last-out, the last rows of each user (default),
                   or time, the last tenth of all rows by time
  --k N            the number of results for which recall is measured (default 10)
  --recall SHARE   the share of the exact best k that a large index must find (default 0.98)
  --seed N         seed of all random numbers (default 42)
  --like TEXT      which rows are likes: "rating >= 4", "event in (buy, cart)" (default: all rows; if there are
                   ratings, those of at least four fifths of the highest)
  --user-column NAME, --item-column NAME, --value-column NAME, --weight-column NAME,
  --time-column NAME, --event-column NAME
                   columns by name; none for one that is not to be used
  --id-column NAME, --title-column NAME
                   columns of the table of items by name
  --list-columns NAMES
                   columns of the table of items that hold lists, with commas, '' for none (default: columns
                   whose values are separated by | or ;)
  --delimiter TEXT what separates fields (default recognised)
  --header WORD    yes or no: whether the first line has names (default recognised)
  --strict         the first broken row is an error (default: rows are left out and counted)
  --log FILE       append a record of each step and epoch of two-tower models to a file of JSON Lines
  --force          replace an existing bundle; publish a version that is worse
  --json           one JSON object a line

After Ctrl-C the finished trials are kept beside the output (OUT.trials); the same command continues from them.
`;
