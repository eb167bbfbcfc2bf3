/** The help text and the version. */
import { readFileSync } from 'node:fs';

const manifest: { version: string } = JSON.parse(
  readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
) as { version: string };

/** The version of the command. */
export const VERSION: string = manifest.version;

/** What `shortlist --help` prints. */
export const HELP: string = `shortlist ${VERSION}: the retrieval stage of a recommender

Usage: shortlist COMMAND [OPTIONS]

Commands
  compress     train every embedding method at every budget on your data; tables and a figure
  serve        answer over HTTP and gRPC: shortlist serve BUNDLE… or NAME=BUNDLE…, each a bundle
               file, a folder that holds one, or a folder of versions 1, 2, 3, …
  tutorial     train a two-tower model on MovieLens-100K, evaluate it, index the movies,
               print a user's shortlist, save, load, and print the same again

Options of tutorial
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

Options of compress
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

Options of serve
  --host ADDRESS   where to listen (default 127.0.0.1: this machine only)
  --http-port N    default 8501
  --grpc-port N    default 8500; none for no gRPC
  --policy WORD    latest, all, or version numbers with commas (default latest)
  --keys FILE      JSON: [{"name", "sha256", "role": "read" or "write"}, …]
  --tls-cert FILE, --tls-key FILE, --tls-ca FILE
                   serve TLS; with an authority clients need certificates, too
  --rate N         requests a second from one address (default no limit)
  --fsync WHEN     always, or milliseconds (default 10)
  --wait-ms N      how long requests are gathered for one scan (default 0)
  --queue N        queries that may wait (default 1024)
  --max-k N        results a query may ask for (default 1000)
  --rebalance SHARE  build an index anew when updates moved more of it (default: never)
  --canary SHARE   share of the queries asked again exactly (default 0.001)
  --log-level WORD default info

Everywhere
  --help, --version
`;
