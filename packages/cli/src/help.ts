/** The help text and the version. */
import { readFileSync } from 'node:fs';

const manifest: { version: string } = JSON.parse(
  readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
) as { version: string };

/** The version of the command. */
export const VERSION: string = manifest.version;

const OVERVIEW: string = `shortlist ${VERSION}: the retrieval stage of a recommender

Usage: shortlist COMMAND [OPTIONS]

Commands
  compress     train every embedding method at every budget on your data; tables and a figure
  export       recommendations for many queries as Parquet, CSV or JSON Lines
  index        index vectors of your own, tuned to a recall: shortlist index vectors.npy --out x.shortlist
  inspect      what a file holds: interactions (columns, quality), vectors, or a bundle
  query        the best candidates of a bundle for a query: shortlist query x.shortlist 42
  restore      put a bundle into a folder of versions as its newest: shortlist restore BUNDLE FOLDER
  serve        answer over HTTP and gRPC: shortlist serve BUNDLE… or NAME=BUNDLE…, each a bundle
               file (saveBundle, tutorial --save), a folder that holds one, or a folder of
               versions 1, 2, 3, …
  tutorial     train a two-tower model on MovieLens-100K, evaluate it, index the movies,
               print a user's shortlist, save, load, and print the same again

shortlist COMMAND --help shows the options of a command; shortlist --version the version.

Exit codes: 0 done, 1 a mistake in the input or a failure that is named, 2 a mistake in the arguments,
130 ended by Ctrl-C, 141 nobody reads the output any more.
`;

/** The page of each command. */
const PAGES: Readonly<Record<string, string>> = {
  compress: `shortlist compress: train every embedding method at every budget on your data

Usage: shortlist compress [OPTIONS], for example: shortlist compress --data planted --epochs 2

Options
  --data DIR       a folder with u.data, u.item and u.user (clicks: cross-entropy), or with train.txt
                   and test.txt, a user and items a line (retrieval: recall@20); planted for a small
                   world with known clusters (default: MovieLens-100K as in the tutorial)
  --budgets LIST   shares of the full parameters (default 1/4,1/10,1/16,1/40,1/64,1/250,1/1000)
  --methods LIST   all, or names with commas (default all)
  --seeds N        runs of each (default 3)
  --columns N      columns of the methods that have some (default 8)
  --clusterings N  at most so many, of methods that cluster more than once (default as scheduled)
  --epochs N       default 15 for clicks, 6 for retrieval
  --out DIR        results, which a later run goes on from, tables, figure (default compress)
  --json           one JSON object a line
`,
  export: `shortlist export: recommendations for many queries as a table

Usage: shortlist export BUNDLE --queries FILE --out FILE [OPTIONS], for example:
  shortlist export movies.shortlist --queries users.txt --out recommendations.parquet

The table has a row a recommendation: query, rank (from 1), identifier, score.
Options
  --queries FILE   a query a line, as shortlist query takes it
  --out FILE       a name that ends with .parquet, .csv or .jsonl
  --k N            recommendations a query (default 10)
  --force          replace a file that exists
`,
  index: `shortlist index: an index of vectors of your own, tuned to a recall, saved as a bundle

Usage: shortlist index VECTORS --out BUNDLE [OPTIONS], for example:
  shortlist index vectors.npy --ids ids.txt --items meta.csv --out x.shortlist
  shortlist serve x.shortlist

Vectors are .npy (any numbers, either order), .fvecs, .bvecs, .ivecs, or .bin of big-ann (.fbin, .u8bin, …).
Options
  --out FILE       where the bundle is written
  --ids FILE       an identifier a line, or a .npy of whole numbers (default: row numbers from 0); vectors
                   whose line is empty, or repeats an earlier one, are left out and told
  --items FILE     a table (CSV, JSON Lines, Parquet, …) whose columns become attributes of the candidates
  --id-column NAME the column of identifiers in it (default: the one that has them)
  --title-column NAME
                   the column that names an item for people (default recognised)
  --measure WORD   cosine, dot_product or squared_l2 (default cosine)
  --recall SHARE   of the true top k that queries shall find (default 0.95)
  --k N            results that queries will ask for (default 10)
  --seed N         seed of everything random (default 42)
  --strict         an empty or repeated identifier is an error
  --force          replace a bundle that exists
`,
  inspect: `shortlist inspect: what a file of interactions, a file of vectors or a bundle holds

Usage: shortlist inspect FILE… [OPTIONS], for example: shortlist inspect ratings.csv --items movies.csv

Interactions are CSV, TSV, JSON Lines (as they are, gzip or zstd), Parquet, Arrow IPC, MovieLens's ::, or a
line a user (user item item …); several files are one set. Columns are recognised unless they are named.
Options
  --items FILE     a table of items: its columns, and which items it does not have
  --test FILE      the test part: what it shares with the training part
  --like TEXT      rows that count as a like: "rating >= 4", "event in (buy, cart) and not country = US"
  --user-column NAME, --item-column NAME, --value-column NAME, --weight-column NAME,
  --time-column NAME, --event-column NAME
                   columns by name; none for one that is not to be used
  --delimiter TEXT what separates fields (default recognised)
  --header WORD    yes or no: whether the first line has names (default recognised)
  --strict         the first broken row is an error (default: rows are left out and counted)
  --json           one JSON object a line
`,
  query: `shortlist query: the best candidates of a bundle for a query

Usage: shortlist query BUNDLE QUERY [OPTIONS], for example: shortlist query movies.shortlist 42 --k 5

A query is a user's identifier, or named features: '{"user": "42", "country": "NL"}'. A bundle without a query
tower is asked with an embedding, its numbers with commas; where the first is negative, options come
before and -- stands between: shortlist query x.shortlist --k 3 -- -0.1,0.2
Options
  --k N            results (default 10)
  --history LIST   items that an unknown user chose, with commas, instead of a query (implicit ALS)
  --exclude LIST   identifiers that are left out, with commas
  --json           one JSON object a result
`,
  restore: `shortlist restore: put a bundle into a folder of versions as its newest version

Usage: shortlist restore BUNDLE FOLDER, for example of a snapshot of a server:
  curl -f -o movies.shortlist http://127.0.0.1:8501/v1/bundle
  shortlist restore movies.shortlist /models/movies
`,
  serve: `shortlist serve: answer over HTTP and gRPC

Usage: shortlist serve BUNDLE… or NAME=BUNDLE… [OPTIONS]

  shortlist serve movies.shortlist            one bundle, read only, as the model movies
  shortlist serve movies=/models/v books=b    two models; a folder of versions 1, 2, 3, … takes updates
  Then: curl --json '{"query": "42", "k": 3}' http://127.0.0.1:8501/v1/shortlist
  --host ADDRESS   where to listen (default 127.0.0.1: this machine only)
  --http-port N    port of REST (default 8501; 0 for any free one)
  --grpc-port N    port of gRPC (default 8500; 0 for any free one; none for no gRPC)
  --processes N    processes that answer queries, each with a copy of the models (default 1)
  --policy WORD    which versions of a folder are served: latest, all, or their numbers with
                   commas (default latest)
  --keys FILE      who may come in: [{"name": "site", "sha256": "…", "role": "read" or "write"}];
                   printf %s KEY | sha256sum makes a digest (default: everybody)
  --tls-cert FILE, --tls-key FILE, --tls-ca FILE
                   serve TLS; with an authority (ca) clients need certificates, too
  --insecure       an address beyond this machine without keys is meant: no warning
  --cors LIST      origins of web pages that may call the server, with commas (default none)
  --allowed-hosts LIST
                   host names under which a server without keys may be changed (default localhost
                   and addresses)
  --rate N         most requests a second from one address (default no limit)
  --fsync WHEN     updates are forced to the disk: always, before each is acknowledged, or at most
                   so many milliseconds after (default 10)
  --wait-ms N      milliseconds requests are gathered before a scan (default 0)
  --queue N        queries that may wait; beyond, 503 (default 1024)
  --max-k N        most results a query may ask for (default 1000)
  --rebalance SHARE
                   build the index anew when updates moved more than this share of the candidates
                   to other leaves, 0 to 1 (default never)
  --journal-damage replay|refuse
                          what to do with a damaged journal of updates: keep a copy of it and replay every whole request,
                          or do not load its version (default replay)
  --when-locked serve|wait
                          what to do while another server takes the updates of a version: answer queries without
                          updates, or do not serve it yet (default serve)
  --keep-versions N
                   remove versions of a folder beyond the newest N (default: keep all)
  --canary SHARE   share of the queries asked again exactly, for the recall in /metrics
                   (default 0.001; 0 for none)
  --lame-duck-ms N a stop goes on taking connections for so long while not ready (default 1000)
  --drain-ms N     then it waits so long for requests under way (default 10000)
  --config FILE    a JSON file with every option (docs/serving.md); arguments override it
  --log-level WORD trace, debug, info, warn, error, fatal or silent (default info)
  SIGTERM or Ctrl-C: requests under way are answered, then it ends with exit code 0.
`,
  tutorial: `shortlist tutorial: train on MovieLens-100K, evaluate, index, print a shortlist, save and load

Usage: shortlist tutorial [OPTIONS], for example: shortlist tutorial --copies 0 --user 7

Options
  --data DIR       a folder with u.data, u.item and u.user (default: $SHORTLIST_DATA/movielens-100k,
                   the cache, a download, or a synthetic world of the same shape)
  --epochs N       passes over the training part (default 3)
  --seed N         seed of everything random (default 42)
  --user ID        whose shortlist is shown (default 42)
  --save FILE      where the bundle is written (default: a temporary folder)
  --copies N       shrunk copies of every movie in the second half (default 1000: 1.68 million
                   candidates; 0 leaves it out)
  --resume FILE    go on with training that Ctrl-C interrupted
  --embedding WORD compressed tables beside full ones, the first half only, and what they save and
                   cost: cqr, cqr-co-occurrence or any other method of compress (default full)
  --budget SHARE   their share of the full tables' parameters (default 1/4)
  --json           one JSON object a line
`,
};

/** The names of all commands. */
export const COMMAND_NAMES: readonly string[] = Object.keys(PAGES);

/** What `shortlist --help`, or that of a command, prints. */
export function help(command?: string): string {
  return command !== undefined && COMMAND_NAMES.includes(command) ? PAGES[command]! : OVERVIEW;
}

/** The options that the page of a command names, without their dashes. */
export function optionsOf(command: string): string[] {
  return [...new Set(Array.from(help(command).matchAll(/--([a-z][a-z-]*)/g), ([, name]) => name!))];
}
