/** The page of `shortlist compress --help`. */
export const HELP: string = `shortlist compress: train every embedding method at several sizes on your data

Usage: shortlist compress [OPTIONS], for example: shortlist compress --data planted --epochs 2

Options
  --data DIR       a folder with u.data, u.item and u.user of MovieLens (clicks, measured by cross-entropy),
                   or with train.txt and test.txt, each line a user and the user's items (retrieval,
                   measured by recall@20), or the word planted: small synthetic data with known clusters
                   (default: MovieLens-100K as in the tutorial)
  --budgets LIST   sizes as shares of the full parameters (default 1/4,1/10,1/16,1/40,1/64,1/250,1/1000)
  --methods LIST   all, or names with commas (default all)
  --seeds N        runs of each method and size, with different seeds (default 3)
  --columns N      columns of the methods that have columns (default 8)
  --clusterings N  the most clusterings of methods that cluster more than once (default: their schedule)
  --epochs N       default 15 for clicks, 6 for retrieval
  --out DIR        the folder of results, tables and a chart; a later run continues from it (default compress)
  --json           one JSON object a line
`;
