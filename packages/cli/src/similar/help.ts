/** The page of `shortlist similar --help`. */
export const HELP: string = `shortlist similar: find the candidates of a bundle that are most similar to given ones

Usage: shortlist similar BUNDLE ID [ID…] [OPTIONS], for example: shortlist similar movies.shortlist 1 --k 5

Each ID is the identifier of a candidate; if the first begins with a dash, put -- before it. The score is the
cosine. For several IDs the mean of their unit vectors is compared. The IDs themselves are never results.
Options
  --k N            results (default 10)
  --exclude LIST   identifiers to leave out, with commas
  --include LIST   only these identifiers may be results, with commas
  --json           one JSON object a result
`;
