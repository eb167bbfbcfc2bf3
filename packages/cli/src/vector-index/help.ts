/** The page of `shortlist index --help`. */
export const HELP: string = `shortlist index: index your own vectors, tune the index to a recall, and write a bundle

Usage: shortlist index VECTORS --out BUNDLE [OPTIONS], for example:
  shortlist index vectors.npy --ids ids.txt --items meta.csv --out x.shortlist
  shortlist serve x.shortlist

Vectors are .npy (any number type, C or Fortran order), .fvecs, .bvecs, .ivecs, big-ann files (.fbin, .u8bin,
.bin, …), a column of lists in a Parquet file, or the candidates of another bundle.
Options
  --out FILE       the bundle to write
  --ids FILE       a text file with one identifier a line, or a .npy of whole numbers (default: those of
                   the Parquet file or the bundle, else row numbers from 0). Vectors whose identifier is empty or repeated are left out and reported
  --vector-column NAME, --vector-id-column NAME
                   the columns of vectors and of their identifiers in a Parquet file (default: the only column
                   of lists of numbers, and the only one named id or …_id)
  --items FILE     a table (CSV, JSON Lines, Parquet, …) whose columns become attributes of the candidates
  --id-column NAME the column of identifiers in that table (default: the column that holds the identifiers)
  --title-column NAME
                   the column of titles (default recognised)
  --list-columns NAMES
                   columns that hold lists, with commas, '' for none (default: columns whose values are
                   separated by | or ;)
  --measure WORD   cosine, dot_product or squared_l2 (default cosine)
  --recall SHARE   the share of the true top k that queries must find (default 0.95)
  --k N            the number of results that queries will request (default 10)
  --seed N         seed of all random numbers (default 42)
  --memory-bytes N build without holding the vectors in memory: the file is read three times, with at most N bytes
                   beside identifiers and, at the end, codes of some bytes a vector. Beside BUNDLE there are the runs
                   and BUNDLE.untuned until it is done, each as large. An interrupted build continues when it is started again
  --strict         an empty or repeated identifier is an error
  --force          replace an existing bundle
`;
