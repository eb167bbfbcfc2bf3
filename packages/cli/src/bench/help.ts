/** The page that `shortlist bench --help` prints. */
export const HELP = `shortlist bench: measure the latency, the throughput and the recall of a bundle on this machine

Usage: shortlist bench BUNDLE [OPTIONS], for example: shortlist bench movies.shortlist --k 20

Searches with one query at a time, then with batches of all queries, and compares the results with those of an exact
search. The measurement uses no network; a request to a server takes some hundredths of a millisecond more.
Options
  --k N            results of a query (default 10)
  --queries FILE   a text file with one query a line (default: 500 users of the model; for a bundle of vectors 500
                   of its candidates)
  --seconds N      how long single queries, and then batches, are measured (default 2)
  --json           one JSON object
`;
