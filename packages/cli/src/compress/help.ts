/** The page of `shortlist compress --help`. */
export const HELP: string = `shortlist compress: train every embedding method at every budget on your data

Usage: shortlist compress [OPTIONS], for example: shortlist compress --data planted --epochs 2

Options
  --data DIR       a folder with u.data, u.item and u.user (clicks: cross-entropy), or with train.txt
                   and test.txt, a user and items a line (retrieval: recall@20); planted for a small
                   world with known clusters (default: MovieLens-100K as in the tutorial)
  --budgets LIST   shares of the full parameters (default 1/4,1/10,1/16,1/40,1/64,1/250,1/1000)
  --methods LIST   all, or names with commas (default all)
  --seeds N        runs of each (default 3)
  --columns N      columns of the methods that have some (default 8)
  --clusterings N  the most clusterings of methods that cluster more than once (default as scheduled)
  --epochs N       default 15 for clicks, 6 for retrieval
  --out DIR        where results, tables and a figure go; a later run continues from them (default compress)
  --json           one JSON object a line
`;
