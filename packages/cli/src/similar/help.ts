/** The page of `shortlist similar --help`. */
export const HELP: string = `shortlist similar: find the candidates of a bundle that are most similar to given ones

Usage: shortlist similar BUNDLE ID [ID…] [OPTIONS], for example: shortlist similar movies.shortlist 1 --k 5
       shortlist similar BUNDLE --vector NUMBERS [OPTIONS]

Each ID is the identifier of a candidate; if the first begins with a dash, put -- before it. The score is the
cosine. For several IDs the mean of their unit vectors is compared. The IDs themselves are never results.
Options
  --k N            results (default 10)
  --vector NUMBERS instead of IDs: the numbers of an embedding, with commas; where the first is negative,
                   write --vector=-0.1,0.2
  --exclude LIST   identifiers to leave out, with commas
  --include LIST   only these identifiers may be results, with commas
  --per-value ATTRIBUTE=N
                   at most N results with the same value, such as genres=3; may be given several times
  --mmr WEIGHT     results chosen by marginal relevance: 1 is relevance alone, 0 diversity alone
  --mmr-candidates N
                   how many of the best candidates it chooses from (default 100, or 4 × k if that is more)
  --score-threshold NUMBER
                   only results with at least this score
  --pin LIST, --block LIST
                   identifiers that come first, in this order; identifiers that are never results; with commas
  --json           one JSON object a result
`;
