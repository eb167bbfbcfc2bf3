/** The page of `shortlist export --help`. */
export const HELP: string = `shortlist export: write recommendations, neighbours or vectors of a bundle to a file

Usage: shortlist export BUNDLE --out FILE [OPTIONS], for example:
  shortlist export movies.shortlist --out recommendations.parquet
  shortlist export movies.shortlist --what embeddings --out movies.npy

Options
  --what CONTENT   recommendations (default): query, rank (from 1), identifier, score
                   neighbours: for each candidate the most similar others: candidate, rank, identifier, score
                   embeddings: the vectors of the candidates: identifier, vector
                   users: the vectors of the users that the model knows: user, vector
  --out FILE       a name that ends with .parquet, .csv or .jsonl; for vectors also .npy, with NAME.ids.txt beside it.
                   A vector is columns vector_0, vector_1, … in Parquet and CSV, and a list in JSON Lines
  --queries FILE   one query in each line, as for shortlist query (default: all users that the model knows)
  --k N            recommendations of a query, or neighbours of a candidate (default 10)
  --exclude-seen, --no-exclude-seen
                   whether to leave out what each user has seen (default: the bundle's setting)
  --force          replace an existing file
`;
