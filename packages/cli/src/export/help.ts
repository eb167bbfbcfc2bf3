/** The page of `shortlist export --help`. */
export const HELP: string = `shortlist export: recommendations for many queries as a table

Usage: shortlist export BUNDLE --queries FILE --out FILE [OPTIONS], for example:
  shortlist export movies.shortlist --queries users.txt --out recommendations.parquet

The table has a row a recommendation: query, rank (from 1), identifier, score.
Options
  --queries FILE   a query a line, as shortlist query takes it
  --out FILE       a name that ends with .parquet, .csv or .jsonl
  --k N            recommendations a query (default 10)
  --force          replace a file that exists
`;
