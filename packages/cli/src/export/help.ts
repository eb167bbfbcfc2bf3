/** The page of `shortlist export --help`. */
export const HELP: string = `shortlist export: recommendations for all users, or for chosen queries, as a table

Usage: shortlist export BUNDLE --out FILE [OPTIONS], for example:
  shortlist export movies.shortlist --out recommendations.parquet

The table has a row a recommendation: query, rank (from 1), identifier, score.
Options
  --out FILE       a name that ends with .parquet, .csv or .jsonl
  --queries FILE   a query a line, as shortlist query takes it (default: all users that the model knows)
  --k N            recommendations a query (default 10)
  --exclude-seen, --no-exclude-seen
                   leave out what each user has seen, or do not (default as the bundle says)
  --force          replace a file that exists
`;
