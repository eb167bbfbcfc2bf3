/** The page of `shortlist query --help`. */
export const HELP: string = `shortlist query: find the best candidates of a bundle for a query

Usage: shortlist query BUNDLE QUERY [OPTIONS], for example: shortlist query movies.shortlist 42 --k 5

A query is a user's identifier, or named features: '{"user": "42", "country": "NL"}'. For a bundle without
a query tower the query is an embedding, its numbers separated by commas. If the first number is negative, put
the options first and -- before it: shortlist query x.shortlist --k 3 -- -0.1,0.2
Options
  --k N            results (default 10)
  --history LIST   items that the user chose, with commas. It can replace QUERY; together with QUERY it is used only
                   if the model does not know the user
  --exclude LIST   identifiers to leave out, with commas
  --exclude-seen, --no-exclude-seen
                   whether to leave out what the user has seen (default: the bundle's setting)
  --per-value ATTRIBUTE=N
                   at most N results with the same value, such as genres=3; may be given several times
  --mmr WEIGHT     results chosen by marginal relevance: 1 is relevance alone, 0 diversity alone
  --mmr-candidates N
                   how many of the best candidates --mmr chooses from (default 100, or 4 × k if that is more)
  --score-threshold NUMBER
                   only results with at least this score
  --pin LIST, --block LIST
                   identifiers that come first, in this order, and identifiers that are never results; with commas
  --json           one JSON object a result
`;
