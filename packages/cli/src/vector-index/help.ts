/** The page of `shortlist index --help`. */
export const HELP: string = `shortlist index: an index of vectors of your own, tuned to a recall, saved as a bundle

Usage: shortlist index VECTORS --out BUNDLE [OPTIONS], for example:
  shortlist index vectors.npy --ids ids.txt --items meta.csv --out x.shortlist
  shortlist serve x.shortlist

Vectors are .npy (any numbers, either order), .fvecs, .bvecs, .ivecs, or .bin of big-ann (.fbin, .u8bin, …).
Options
  --out FILE       where the bundle is written
  --ids FILE       an identifier a line, or a .npy of whole numbers (default: row numbers from 0); vectors
                   whose line is empty, or repeats an earlier one, are left out and reported
  --items FILE     a table (CSV, JSON Lines, Parquet, …) whose columns become attributes of the candidates
  --id-column NAME the column of identifiers in it (default: the one that has them)
  --title-column NAME
                   the column that names an item for people (default recognised)
  --list-columns NAMES
                   the columns of lists, with commas, '' for none (default: those whose values | or ; separates)
  --measure WORD   cosine, dot_product or squared_l2 (default cosine)
  --recall SHARE   the share of the true top k that queries must find (default 0.95)
  --k N            results that queries will ask for (default 10)
  --seed N         seed of everything random (default 42)
  --strict         an empty or repeated identifier is an error
  --force          replace an existing bundle
`;
