/** The page of `shortlist serve --help`. */
export const HELP: string = `shortlist serve: answer over HTTP and gRPC

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
  --keys FILE      who may use the server: [{"name": "site", "sha256": "…", "role": "read" or "write"}];
                   printf %s KEY | sha256sum makes a digest (default: everybody)
  --tls-cert FILE, --tls-key FILE, --tls-ca FILE
                   serve over TLS; with an authority (ca) clients need certificates, too
  --insecure       no warning when a server without keys listens beyond this machine
  --cors LIST      origins of web pages that may call the server, with commas (default none)
  --allowed-hosts LIST
                   host names under which a server without keys may be changed (default localhost
                   and addresses)
  --rate N         most requests a second from one address (default no limit)
  --fsync WHEN     when updates are synced to the disk: always (before each is acknowledged), or at
                   most this many milliseconds after (default 10)
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
  --lame-duck-ms N how long a stopping server, not ready any more, accepts connections (default 1000)
  --drain-ms N     how long it then waits for requests under way (default 10000)
  --config FILE    a JSON file with every option (docs/serving.md); arguments override it
  --log-level WORD trace, debug, info, warn, error, fatal or silent (default info)
  SIGTERM or Ctrl-C: requests under way are answered, then it ends with exit code 0.
`;
