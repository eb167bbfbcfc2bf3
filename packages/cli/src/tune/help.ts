/** The page that `shortlist tune --help` prints. */
export const HELP = `shortlist tune: find the cheapest search settings of a bundle that reach a recall

Usage: shortlist tune BUNDLE --out FILE [OPTIONS], for example:
  shortlist tune words.shortlist --recall 0.98 --out fast.shortlist

Tries numbers of leaves to search and of candidates to reorder on one half of the queries, checks the choice on the
other half, and writes the bundle with the chosen settings. The index is not rebuilt. An exact index has no such
settings.
Options
  --out FILE       the bundle to write; it may be BUNDLE itself, with --force
  --recall SHARE   the share of the exact best k that queries must find (default 0.95)
  --k N            the number of results that queries will request (default 10)
  --queries FILE   a text file with one query a line (default: 500 users of the model; for a bundle of vectors 500
                   of its candidates)
  --force          replace an existing bundle
  --json           the report as JSON: the chosen settings and the Pareto front
`;
