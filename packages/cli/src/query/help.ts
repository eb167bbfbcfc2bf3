/** The page of `shortlist query --help`. */
export const HELP: string = `shortlist query: the best candidates of a bundle for a query

Usage: shortlist query BUNDLE QUERY [OPTIONS], for example: shortlist query movies.shortlist 42 --k 5

A query is a user's identifier, or named features: '{"user": "42", "country": "NL"}'. A bundle without a query
tower is asked with an embedding, its numbers with commas; where the first is negative, options come
before and -- stands between: shortlist query x.shortlist --k 3 -- -0.1,0.2
Options
  --k N            results (default 10)
  --history LIST   items that somebody chose whom the model does not know, with commas: instead of a query, or beside
                   one for the case that its user is unknown
  --exclude LIST   identifiers that are left out, with commas
  --exclude-seen, --no-exclude-seen
                   leave out what the user has seen, or do not (default as the bundle says)
  --per-value ATTRIBUTE=N
                   at most N results with the same value, such as genres=3; may be given several times
  --mmr WEIGHT     results chosen by marginal relevance: 1 is relevance alone, 0 diversity alone
  --mmr-candidates N
                   of how many candidates (default 100, or 4 a result where that is more)
  --score-threshold NUMBER
                   only results with at least this score
  --pin LIST, --block LIST
                   identifiers that come first, in this order, and identifiers that never come, with commas
  --json           one JSON object a result
`;
