/** The page that `shortlist evaluate --help` prints. */
export const HELP = `shortlist evaluate: measure how well a bundle finds items that users chose later, and compare it with baselines

Usage: shortlist evaluate BUNDLE INTERACTIONS… [OPTIONS], for example:
  shortlist train before.csv --out movies.shortlist
  shortlist evaluate movies.shortlist after.csv --k 10,20

Prints recall, nDCG, MRR, coverage of the catalogue and the share of long-tail items, for all users, and separately
for new and for heavy users, with 95 % intervals over users. Items that a user has in the training part are left
out of the lists and are not counted. Popularity, item-kNN and EASE learn from the training part, too.
Options
  --train FILE     the training part; may be given several times (default: the seen items in the bundle;
                   without either nothing is left out and there are no baselines)
  --k LIST         numbers of results, with commas (default 10); baselines are compared at the first
  --like TEXT      which rows are likes: "rating >= 4" (default: as the bundle was trained)
  --user-column NAME, --item-column NAME, --value-column NAME, --weight-column NAME,
  --time-column NAME, --event-column NAME
                   columns by name; none for one that is not to be used
  --delimiter TEXT what separates fields (default recognised)
  --header WORD    yes or no: whether the first line has names (default recognised)
  --strict         the first broken row is an error (default: rows are left out and counted)
  --seed N         seed of the intervals (default 42)
  --json           one JSON object a line
`;
