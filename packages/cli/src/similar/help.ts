/** The page of `shortlist similar --help`. */
export const HELP: string = `shortlist similar: the candidates of a bundle that are most similar to others

Usage: shortlist similar BUNDLE ID [ID…] [OPTIONS], for example: shortlist similar movies.shortlist 1 --k 5

Each ID is the identifier of a candidate; if the first begins with a dash, put -- before it. Candidates are compared
by cosine, which is the score. For several IDs the mean of their unit vectors is used. The IDs are not among the results.
Options
  --k N            results (default 10)
  --exclude LIST   identifiers to leave out, with commas
  --include LIST   only these identifiers may be results, with commas
  --json           one JSON object a result
`;
