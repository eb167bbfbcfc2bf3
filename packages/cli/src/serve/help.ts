/** The page of `shortlist serve --help`. */
export const HELP: string = `shortlist serve: answer queries over HTTP and gRPC

Usage: shortlist serve BUNDLE… or NAME=BUNDLE… [OPTIONS]

  shortlist serve movies.shortlist            one bundle, read only, as the model movies
  shortlist serve movies=/models/v books=b    two models; a folder of versions 1, 2, 3, … takes updates
  Then: curl --json '{"query": "42", "k": 3}' http://127.0.0.1:8501/v1/shortlist
  --host ADDRESS   the address to listen on (default 127.0.0.1: only this machine can connect)
  --http-port N    port of HTTP (default 8501; 0 for any free port)
  --grpc-port N    port of gRPC (default 8500; 0 for any free port; none for no gRPC)
  --processes N    processes that answer queries, each with a copy of the models (default 1)
  --policy WORD    which versions of a folder are served: latest, all, or their numbers with
                   commas (default latest)
  --keys FILE      a JSON file of API keys: [{"name": "site", "sha256": "…", "role": "read" or "write"}];
                   printf %s KEY | sha256sum prints the digest of a key (default: no key is needed)
  --tls-cert FILE, --tls-key FILE, --tls-ca FILE
                   serve over TLS; with --tls-ca clients need a certificate of that authority
  --insecure       do not warn when a server without keys can be reached from other machines
  --cors LIST      origins of web pages that may call the server, with commas (default none)
  --allowed-hosts LIST
                   host names in requests that may change a server without keys (default localhost
                   and IP addresses)
  --rate N         the most requests a second from one address (default no limit)
  --fsync WHEN     when updates are synced to the disk: always (before each is acknowledged), or a number
                   of milliseconds after which they are synced at the latest (default 10)
  --wait-ms N      milliseconds for which queries are collected into a batch before a search (default 0)
  --queue N        queries that may wait; further ones get status 503 (default 1024)
  --max-k N        the most results that a query may request (default 1000)
  --rebalance SHARE
                   rebuild the index when updates have moved more than this share of the candidates
                   to other leaves, 0 to 1 (default never)
  --journal-damage replay|refuse
                   for a damaged journal of updates: keep a copy of it and replay every complete
                   request, or do not load its version (default replay)
  --when-locked serve|wait
                   while another server holds the lock on the updates of a version: answer queries
                   without accepting updates, or do not serve it yet (default serve)
  --keep-versions N
                   remove all but the newest N versions of a folder (default: keep all)
  --canary SHARE   share of the queries that are also searched exactly, to measure the recall in
                   /metrics (default 0.001; 0 for none, the default with --rows file)
  --rows WORD      memory, or file: the rows of a ScaNN index stay in the bundle and are read for the best
                   candidates of a query; versions then take no updates (default memory)
  --row-cache-bytes N
                   bytes of such rows that each process keeps in memory per version (default 67108864)
  --lame-duck-ms N how long a stopping server, which reports that it is not ready, still accepts connections
                   (default 1000)
  --drain-ms N     how long a stopping server then waits for running requests (default 10000)
  --config FILE    a JSON file of options (docs/serving.md); options on the command line override it
  --log-level WORD trace, debug, info, warn, error, fatal or silent (default info)
  After SIGTERM or Ctrl-C the server finishes running requests and ends with exit code 0.
`;
