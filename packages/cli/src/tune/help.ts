/** The page that `shortlist tune --help` prints. */
export const HELP = `shortlist tune: the cheapest search of a bundle that reaches a recall

Usage: shortlist tune BUNDLE --out FILE [OPTIONS], for example:
  shortlist tune words.shortlist --recall 0.98 --out fast.shortlist

Tries how many leaves are searched and how many candidates are reordered, chooses on one half of the queries,
checks on the other, and writes the bundle with the settings that were found. The index is not rebuilt. An
exact index has nothing to tune.
Options
  --out FILE       where the bundle is written; BUNDLE itself with --force
  --recall SHARE   the share of the exact best k that queries must find (default 0.95)
  --k N            results that queries will ask for (default 10)
  --queries FILE   a query in each line (default 500 users that the model knows, or candidates of vectors)
  --force          replace an existing bundle
  --json           the report as JSON: the chosen settings and the Pareto front
`;
