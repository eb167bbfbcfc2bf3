/** The page that `shortlist bench --help` prints. */
export const HELP = `shortlist bench: how fast a bundle answers on this machine, and how much of the exact answer it finds

Usage: shortlist bench BUNDLE [OPTIONS], for example: shortlist bench movies.shortlist --k 20

Searches one query after the other on one thread, then all of them together on all threads, and compares the results
with the exact ones. Nothing is sent over a network; npx shortlist serve adds some hundredths of a millisecond.
Options
  --k N            results of a query (default 10)
  --queries FILE   a query in each line (default 500 users that the model knows, or candidates of vectors)
  --seconds N      how long each of the two is measured (default 2)
  --json           one JSON object
`;
